import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../../process/run.ts';
import { until } from '../../process/until.ts';
import { NODE_ADDRESS, NODE_PREFIX_LENGTH, type Node } from './node.ts';

const CGROUPS = '/sys/fs/cgroup';
/** Milliseconds until the kernel must have ended what was killed. */
const END_DEADLINE_MS = 30_000;

/**
 * Makes the node's network: a namespace whose one interface leads nowhere, so that nothing in the cluster reaches the
 * machine's network, or the other way round, except through the forwarder.
 */
export async function makeNetwork({ name }: Node): Promise<void> {
  const inside = (...args: string[]) => run('ip', ['-netns', name, ...args]);
  await run('ip', ['netns', 'add', name]);
  await inside('link', 'set', 'lo', 'up');
  await inside('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'uplink');
  await inside('link', 'set', 'uplink', 'up');
  await inside('link', 'set', 'eth0', 'up');
  await inside('address', 'add', `${NODE_ADDRESS}/${NODE_PREFIX_LENGTH}`, 'dev', 'eth0');
  // Service addresses are translated only after a route was found for them.
  await inside('route', 'add', 'default', 'dev', 'eth0');
  await run('ip', ['netns', 'exec', name, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
}

/** Removes the node's network namespace, and with it every interface, route and rule in it. */
export async function removeNetwork({ name, networkNamespace }: Node): Promise<void> {
  if (!existsSync(networkNamespace)) return;
  await until('the processes of the node to end', async () => ((await pidsIn(name)) === '' ? true : undefined), {
    timeoutMs: END_DEADLINE_MS,
  });
  await run('ip', ['netns', 'delete', name]);
}

async function pidsIn(name: string): Promise<string> {
  return (await run('ip', ['netns', 'pids', name])).stdout.trim();
}

/** Makes the cgroup below which kubelet puts its pods: in every hierarchy of version 1, else in version 2's only one. */
export function makeCgroups({ name }: Node): void {
  for (const hierarchy of hierarchies()) {
    const folder = path.join(hierarchy, name);
    mkdirSync(folder, { recursive: true });
    // A new group of version 1's cpuset is empty, and nothing can run in it, until told otherwise.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const parent = path.join(hierarchy, file);
      if (existsSync(parent)) writeFileSync(path.join(folder, file), readFileSync(parent));
    }
    const control = path.join(hierarchy, 'cgroup.subtree_control');
    if (existsSync(control)) {
      const controllers = readFileSync(path.join(hierarchy, 'cgroup.controllers'), 'utf8').trim().split(' ');
      const enable = controllers.filter((word) => word !== '').map((word) => `+${word}`);
      if (enable.length === 0) continue;
      writeFileSync(control, enable.join(' '));
      writeFileSync(path.join(folder, 'cgroup.subtree_control'), enable.join(' '));
    }
  }
}

/** Removes the node's cgroups once the processes in them are gone. */
export async function removeCgroups({ name }: Node): Promise<void> {
  await until(
    `the cgroups of ${name} to empty`,
    () => {
      for (const hierarchy of hierarchies()) removeGroup(path.join(hierarchy, name));
      return true;
    },
    { timeoutMs: END_DEADLINE_MS },
  );
}

function removeGroup(folder: string): void {
  if (!existsSync(folder)) return;
  for (const child of readdirSync(folder, { withFileTypes: true })) {
    if (child.isDirectory()) removeGroup(path.join(folder, child.name));
  }
  rmdirSync(folder);
}

function hierarchies(): string[] {
  if (existsSync(path.join(CGROUPS, 'cgroup.controllers'))) return [CGROUPS];
  return readdirSync(CGROUPS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(CGROUPS, entry.name));
}
