#!/usr/bin/python3
"""Writes requirements.lock (every package, exact version, sha256 of its wheel) from requirements.in.

    /usr/bin/python3 e2e/images/lock.py litellm            resolves anew
    /usr/bin/python3 e2e/images/lock.py litellm --keep     keeps the versions of the present lock, adds what is new

Run it with the Python of the image (Debian 12's 3.11.2): a lock resolved with a later patch release may
name a package that refuses this one. A package whose own requirements must be ignored goes to
requirements-no-deps.in: it is locked without them, into requirements-no-deps.lock.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def resolve(pip, source, extra):
    """The pip report of what `source` needs: wheels only, nothing installed is taken into account."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        arguments = ["install", "--quiet", "--dry-run", "--ignore-installed", "--only-binary", ":all:"]
        subprocess.run([pip, *arguments, *extra, "--report", report.name, "-r", str(source)], check=True)
        return json.load(report)["install"]


def write_lock(source, packages):
    lines = [f"# Made by e2e/images/lock.py from {source.name} with Python {sys.version.split()[0]}; do not edit."]
    for package in sorted(packages, key=lambda entry: entry["metadata"]["name"].lower()):
        metadata = package["metadata"]
        sha256 = package["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{metadata['name']}=={metadata['version']} --hash=sha256:{sha256}")
    target = source.with_suffix(".lock")
    target.write_text("\n".join(lines) + "\n")
    print(f"{target}: {len(packages)} packages")


def pins(lock):
    """The `name==version` lines of a lock, without their hashes: a constraints file for pip."""
    return "".join(line.split(" ")[0] + "\n" for line in lock.read_text().splitlines() if "==" in line)


def main(image, keep=None):
    if keep not in (None, "--keep"):
        sys.exit(f"lock.py: {keep} is unknown; the only option is --keep")
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = f"{home}/bin/pip"
        source = HERE / image / "requirements.in"
        extra = []
        if keep:
            constraints = Path(home) / "constraints.txt"
            constraints.write_text(pins(source.with_suffix(".lock")))
            extra = ["--constraint", str(constraints)]
        write_lock(source, resolve(pip, source, extra))
        bare = HERE / image / "requirements-no-deps.in"
        if bare.exists():
            write_lock(bare, resolve(pip, bare, ["--no-deps"]))


main(*sys.argv[1:])
