import type { Say } from '../process/progress.ts';
import { run } from '../process/run.ts';

/** Held while apt runs, by all processes of the checkouts on this machine. */
const APT_LOCK = '/tmp/cloudfreedom-apt.lock';
/** Seconds to wait for somebody else's apt. */
const FOREIGN_APT_SECONDS = 600;

/**
 * Makes sure that Debian packages are installed, by apt where this process may do so. Throws with the command to type
 * where it may not.
 */
export async function ensureDebianPackages(packages: readonly string[], say: Say): Promise<void> {
  const missing = [];
  for (const name of packages) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  const command = `apt-get update && apt-get -o DPkg::Lock::Timeout=${FOREIGN_APT_SECONDS} install --yes --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) throw new Error(`missing Debian packages; as root, run: ${command}`);
  say(`installing ${missing.join(', ')}`);
  // One at a time: cluster and images ask for theirs at once, and apt turns a second one away instead of letting it wait.
  // In runlevel 1 a package's own service is not started.
  await run('flock', [APT_LOCK, 'sh', '-c', command], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
}

async function isInstalled(name: string): Promise<boolean> {
  const query = ['--show', '--showformat', `\${db:Status-Status}`, name];
  return run('dpkg-query', query).then(
    ({ stdout }) => stdout === 'installed',
    () => false,
  );
}
