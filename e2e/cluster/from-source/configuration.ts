import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { DNS_ADDRESS } from '../control-plane-arguments.ts';
import type { Credentials } from './credentials.ts';
import { containerdSocket, NODE_POD_CIDR, type Node } from './node.ts';

const CNI_PLUGINS = '/usr/lib/cni';
/** File system type of overlayfs, as statfs names it: it cannot carry the upper layer of another overlay. */
const OVERLAYFS = 0x794c7630;
/** Pods that may run: as many as the node's /24 has addresses for. */
const MAX_PODS = 250;
/** Files kubelet may open; a machine that may not raise its limit has no more. */
const MAX_OPEN_FILES = 20_000;

/** Paths of the files that the node's processes are started with. */
export interface Configuration {
  containerd: string;
  kubelet: string;
}

/** Writes the configuration of containerd, its network plugins and kubelet. */
export function writeConfiguration(node: Node, credentials: Credentials, pauseImage: string): Configuration {
  const folder = path.join(node.folder, 'configuration');
  const networks = path.join(folder, 'cni');
  mkdirSync(networks, { recursive: true });
  const write = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  write('cni/10-bridge.conflist', JSON.stringify(bridgeNetwork(node), null, 2));
  // Pods that ask for the node's own DNS get none: there is no network beyond the cluster.
  const resolver = write('resolv.conf', 'search .\n');
  return {
    containerd: write('containerd.toml', containerdConfiguration(node, networks, pauseImage)),
    kubelet: write('kubelet.yaml', stringify(kubeletConfiguration(node, credentials, resolver))),
  };
}

function containerdConfiguration(node: Node, networks: string, pauseImage: string): string {
  const snapshotter = statfsSync(node.folder).type === OVERLAYFS ? 'native' : 'overlayfs';
  return `version = 2
root = "${node.folder}/containerd"
state = "${node.runFolder}/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
  address = "${containerdSocket(node)}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # The machine may forbid to lower the score, which containers of the system's own kind ask for.
  restrict_oom_score_adj = true
  # Else every pod leaves a file in the machine's /run/netns.
  netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${CNI_PLUGINS}"
  conf_dir = "${networks}"

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "${snapshotter}"
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}

function bridgeNetwork(node: Node) {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: path.join(node.folder, 'addresses'),
          ranges: [[{ subnet: NODE_POD_CIDR }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function kubeletConfiguration(node: Node, credentials: Credentials, resolver: string) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${containerdSocket(node)}`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: credentials.authority.certificateFile },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: credentials.kubelet.certificateFile,
    tlsPrivateKeyFile: credentials.kubelet.keyFile,
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: 'cluster.local',
    resolvConf: resolver,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${node.name}`,
    failCgroupV1: false,
    failSwapOn: false,
    // The machine may not let root raise limits or set kernel parameters; kubelet then only warns.
    featureGates: { KubeletInUserNamespace: true },
    maxOpenFiles: MAX_OPEN_FILES,
    maxPods: MAX_PODS,
    podLogsDir: path.join(node.folder, 'log', 'pods'),
    // An image that was collected could not be had again: there is no registry.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  };
}
