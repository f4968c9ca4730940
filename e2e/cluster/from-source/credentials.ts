import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { issueCertificate, type KeyPair, makeAuthority, makeServiceAccountKeys } from '../certificates.ts';
import { API_SERVICE_ADDRESS } from '../control-plane-arguments.ts';
import { writeKubeconfig } from '../kubeconfig.ts';
import { API_PORT, NODE_ADDRESS, type Node } from './node.ts';

/** Every certificate, key and kubeconfig of the cluster, as paths. */
export interface Credentials {
  authority: KeyPair;
  serving: KeyPair;
  kubelet: KeyPair;
  apiServerAtKubelet: KeyPair;
  serviceAccount: { privateKeyFile: string; publicKeyFile: string };
  kubeconfigs: Record<'admin' | 'kubelet' | 'kube-proxy' | 'kube-scheduler' | 'kube-controller-manager', string>;
}

/** Makes the credentials of a new cluster. `hostApiUrl` is what the admin's kubeconfig dials; the others dial inside. */
export function makeCredentials(node: Node, hostApiUrl: string): Credentials {
  const folder = path.join(node.folder, 'credentials');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = makeAuthority(folder, 'authority', 'CloudFreedom rig');
  const kubeconfig = (name: string, commonName: string, organization?: string, url = insideUrl) => {
    const subject = organization === undefined ? { commonName } : { commonName, organization };
    const file = path.join(folder, `${name}.kubeconfig`);
    writeKubeconfig(file, url, authority.certificateFile, issueCertificate(folder, name, subject, authority));
    return file;
  };
  const insideUrl = `https://${NODE_ADDRESS}:${API_PORT}`;
  const apiNames = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const apiAddresses = ['localhost', '127.0.0.1', NODE_ADDRESS, API_SERVICE_ADDRESS];
  return {
    authority,
    serving: issueCertificate(
      folder,
      'serving',
      { commonName: 'kube-apiserver', names: [...apiNames, ...apiAddresses] },
      authority,
    ),
    kubelet: issueCertificate(folder, 'kubelet-serving', { commonName: node.name, names: [NODE_ADDRESS] }, authority),
    apiServerAtKubelet: issueCertificate(
      folder,
      'apiserver-at-kubelet',
      { commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' },
      authority,
    ),
    serviceAccount: makeServiceAccountKeys(folder),
    kubeconfigs: {
      admin: kubeconfig('admin', 'admin', 'system:masters', hostApiUrl),
      kubelet: kubeconfig('kubelet', `system:node:${node.name}`, 'system:nodes'),
      'kube-proxy': kubeconfig('kube-proxy', 'system:kube-proxy'),
      'kube-scheduler': kubeconfig('kube-scheduler', 'system:kube-scheduler'),
      'kube-controller-manager': kubeconfig('kube-controller-manager', 'system:kube-controller-manager'),
    },
  };
}
