import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { ClusterAccess } from './cluster-access.ts';

/** Where the kubelet puts a pod's token and the cluster's authority; it renews the token in place. */
const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Access with the pod's own service account. Both files are read anew each time the connection asks. */
export function inClusterAccess(host: string, port: string, folder = SERVICE_ACCOUNT_FOLDER): ClusterAccess {
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    async credentials() {
      const [token, ca] = await Promise.all([
        readFile(join(folder, 'token'), 'utf8'),
        readFile(join(folder, 'ca.crt'), 'utf8'),
      ]);
      return { headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } };
    },
  };
}
