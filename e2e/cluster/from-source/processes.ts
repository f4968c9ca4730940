import path from 'node:path';
import {
  apiServerArguments,
  type ControlPlaneSettings,
  controllerManagerArguments,
  etcdArguments,
} from '../control-plane-arguments.ts';
import type { Configuration } from './configuration.ts';
import type { Credentials } from './credentials.ts';
import { API_PORT, NODE_ADDRESS, type Node, POD_CIDR } from './node.ts';

/** Seconds between two looks of kubelet at what containers use: its default of 10 keeps a small machine busy. */
const HOUSEKEEPING_INTERVAL = '30s';

/** Everything that runs on the node beside pods, as command lines by name. */
export function nodeProcesses(
  node: Node,
  binFolder: string,
  credentials: Credentials,
  configuration: Configuration,
): Record<string, string[]> {
  const settings: ControlPlaneSettings = {
    folder: node.runFolder,
    dataFolder: path.join(node.folder, 'etcd'),
    bindAddress: NODE_ADDRESS,
    securePort: API_PORT,
    authorityFile: credentials.authority.certificateFile,
    servingCertificateFile: credentials.serving.certificateFile,
    servingKeyFile: credentials.serving.keyFile,
    serviceAccountPrivateKeyFile: credentials.serviceAccount.privateKeyFile,
    serviceAccountPublicKeyFile: credentials.serviceAccount.publicKeyFile,
  };
  const kubeconfigs = credentials.kubeconfigs;
  const bin = (name: string) => path.join(binFolder, name);
  return {
    containerd: ['containerd', '--config', configuration.containerd],
    etcd: [bin('etcd'), ...etcdArguments(settings)],
    'kube-apiserver': [
      bin('kube-apiserver'),
      ...apiServerArguments(settings),
      '--allow-privileged=true',
      `--kubelet-certificate-authority=${credentials.authority.certificateFile}`,
      `--kubelet-client-certificate=${credentials.apiServerAtKubelet.certificateFile}`,
      `--kubelet-client-key=${credentials.apiServerAtKubelet.keyFile}`,
      // The node's name is in no DNS.
      '--kubelet-preferred-address-types=InternalIP',
    ],
    'kube-controller-manager': [
      bin('kube-controller-manager'),
      ...controllerManagerArguments(settings, kubeconfigs['kube-controller-manager']),
      '--use-service-account-credentials=true',
      '--allocate-node-cidrs=true',
      `--cluster-cidr=${POD_CIDR}`,
    ],
    'kube-scheduler': [
      bin('kube-scheduler'),
      `--kubeconfig=${kubeconfigs['kube-scheduler']}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--v=1',
    ],
    kubelet: [
      bin('kubelet'),
      `--config=${configuration.kubelet}`,
      `--kubeconfig=${kubeconfigs.kubelet}`,
      `--hostname-override=${node.name}`,
      `--node-ip=${NODE_ADDRESS}`,
      `--housekeeping-interval=${HOUSEKEEPING_INTERVAL}`,
      '--v=1',
    ],
    'kube-proxy': [
      bin('kube-proxy'),
      `--kubeconfig=${kubeconfigs['kube-proxy']}`,
      `--hostname-override=${node.name}`,
      '--proxy-mode=nftables',
      `--cluster-cidr=${POD_CIDR}`,
      // The machine may not let its connection tracking be tuned.
      '--conntrack-max-per-core=0',
      '--v=1',
    ],
  };
}
