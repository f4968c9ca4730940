#!/usr/bin/env bash
# The official image's start, for a container that is never root.
set -euo pipefail
# else the program would write a key of its own beside itself, which a second replica does not share
: "${WEBUI_SECRET_KEY:?WEBUI_SECRET_KEY must be set, to the same value in every replica}"
mkdir -p "$STATIC_DIR"
exec open-webui serve --host "${HOST:-0.0.0.0}" --port "${PORT:-8080}"
