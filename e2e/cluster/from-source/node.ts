import path from 'node:path';

/** Names and places of the one node; everything the cluster puts on the machine is below one of these. */
export interface Node {
  /** Of the node, its network namespace, its cgroup and its folder in /run. */
  name: string;
  /** Certificates, container storage, volumes, logs: may be gigabytes. */
  folder: string;
  /** Sockets, which need short paths, and the records of what runs; gone after a reboot, as the processes are. */
  runFolder: string;
  networkNamespace: string;
}

/** Address of the node inside its network namespace. */
export const NODE_ADDRESS = '10.240.0.2';
export const NODE_PREFIX_LENGTH = 24;
/** Addresses of pods; the one node has the first /24 of them. */
export const POD_CIDR = '10.244.0.0/16';
export const NODE_POD_CIDR = '10.244.0.0/24';
export const API_PORT = 6443;

export function nodeNamed(name: string, folder: string): Node {
  return { name, folder, runFolder: path.join('/run', name), networkNamespace: path.join('/run/netns', name) };
}

/** Socket of the node's own containerd. */
export function containerdSocket(node: Node): string {
  return path.join(node.runFolder, 'containerd.sock');
}
