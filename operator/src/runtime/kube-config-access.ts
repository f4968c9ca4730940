import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { ClusterAccess, Credentials } from './cluster-access.ts';

/** What client-node writes into request options; the connection takes these and leaves its agents alone. */
const TLS_FIELDS = ['ca', 'cert', 'key', 'passphrase', 'pfx', 'rejectUnauthorized', 'servername'] as const;

/** Access by kubeconfig: whatever client-node can do (certificates, tokens, exec plugins, OIDC). */
export function kubeConfigAccess(path: string): ClusterAccess {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(path);
  return accessOf(kubeConfig);
}

/** Access as a loaded `KubeConfig` describes it. Throws when it has no current cluster or asks for a proxy. */
export function accessOf(kubeConfig: KubeConfig): ClusterAccess {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig has no current cluster: set its current-context');
  if (cluster.proxyUrl) throw new Error('the kubeconfig has a proxy-url, which is not supported: remove it');
  return {
    server: cluster.server.replace(/\/$/, ''),
    async credentials() {
      const options: RequestOptions = {};
      await kubeConfig.applyToHTTPSOptions(options);
      const tls: Credentials['tls'] = {};
      for (const field of TLS_FIELDS) if (options[field] !== undefined) Object.assign(tls, { [field]: options[field] });
      const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
      return { tls, headers: Object.fromEntries(headers) as Record<string, string> };
    },
  };
}
