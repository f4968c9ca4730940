import { existsSync, rmSync, writeFileSync } from 'node:fs';
import type { Say } from '../../process/progress.ts';
import { run } from '../../process/run.ts';

/** What the node needs from Debian; the images' own needs are in e2e/images. */
const PACKAGES = [
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'iproute2',
  'iptables',
  'nftables',
  'openssl',
  'procps',
  'runc',
];
const POLICY = '/usr/sbin/policy-rc.d';

/** Installs the Debian packages that are missing, without letting them start daemons of the machine's own. */
export async function installPackages(say: Say): Promise<void> {
  const missing: string[] = [];
  for (const name of PACKAGES) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Error(`the from-source cluster needs Debian, or Docker for kind; missing here: ${missing.join(', ')}`);
  }
  say(`installing from Debian: ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const ownPolicy = !existsSync(POLICY);
  // Debian asks this script before it starts a service; 101 means: do not.
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await run('apt-get', ['update', '-q'], { env });
    await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing], { env });
  } finally {
    if (ownPolicy) rmSync(POLICY);
  }
}

async function isInstalled(name: string): Promise<boolean> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is dpkg-query's
  const query = await run('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name]).catch(() => undefined);
  return query?.stdout === 'installed';
}
