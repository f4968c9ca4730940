/** Service addresses of the rig's clusters. */
export const SERVICE_CIDR = '10.96.0.0/16';
/** The `kubernetes` Service: first address of the range. */
export const API_SERVICE_ADDRESS = '10.96.0.1';
/** The `kube-dns` Service: kubelet tells it to every pod. */
export const DNS_ADDRESS = '10.96.0.10';

/** Files, sockets and addresses a control plane is started with. */
export interface ControlPlaneSettings {
  /** Holds etcd's sockets; a socket's path may have 107 bytes at most. */
  folder: string;
  /** Holds etcd's data; made when missing. */
  dataFolder: string;
  bindAddress: string;
  securePort: number;
  authorityFile: string;
  servingCertificateFile: string;
  servingKeyFile: string;
  serviceAccountPrivateKeyFile: string;
  serviceAccountPublicKeyFile: string;
}

/** etcd on Unix sockets only: no port to collide with, nothing to reach from outside. Durability is given up for speed. */
export function etcdArguments(settings: ControlPlaneSettings): string[] {
  return [
    `--data-dir=${settings.dataFolder}`,
    `--listen-client-urls=${etcdSocketUrl(settings)}`,
    `--listen-peer-urls=unix://${settings.folder}/peer.sock`,
    // Must have the form host:port, though nobody dials it: the API server is given the socket.
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

/** kube-apiserver with admission as shipped (Pod Security included) and the Node authorizer. */
export function apiServerArguments(settings: ControlPlaneSettings): string[] {
  return [
    `--etcd-servers=${etcdSocketUrl(settings)}`,
    `--bind-address=${settings.bindAddress}`,
    `--advertise-address=${settings.bindAddress}`,
    `--secure-port=${settings.securePort}`,
    `--cert-dir=${settings.folder}`,
    `--tls-cert-file=${settings.servingCertificateFile}`,
    `--tls-private-key-file=${settings.servingKeyFile}`,
    `--client-ca-file=${settings.authorityFile}`,
    `--service-account-issuer=https://kubernetes.default.svc.cluster.local`,
    `--service-account-key-file=${settings.serviceAccountPublicKeyFile}`,
    `--service-account-signing-key-file=${settings.serviceAccountPrivateKeyFile}`,
    `--service-cluster-ip-range=${SERVICE_CIDR}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--profiling=false',
    '--v=1',
  ];
}

/** kube-controller-manager without leader election: there is one. */
export function controllerManagerArguments(settings: ControlPlaneSettings, kubeconfigPath: string): string[] {
  return [
    `--kubeconfig=${kubeconfigPath}`,
    '--leader-elect=false',
    `--service-account-private-key-file=${settings.serviceAccountPrivateKeyFile}`,
    `--root-ca-file=${settings.authorityFile}`,
    '--secure-port=0',
    '--profiling=false',
    '--v=1',
  ];
}

function etcdSocketUrl(settings: ControlPlaneSettings): string {
  return `unix://${settings.folder}/etcd.sock`;
}
