import type { ConnectionOptions } from 'node:tls';

/** Where the API server is and how to prove who we are. Both may change while we run: tokens and certificates rotate. */
export interface ClusterAccess {
  /** E.g. `https://10.96.0.1:443`, without a slash at the end. */
  server: string;
  /** Reads the credentials as they are now; never logs or keeps them anywhere else. */
  credentials(): Promise<Credentials>;
}

/** What a request is sent with. */
export interface Credentials {
  headers: Record<string, string>;
  tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'rejectUnauthorized' | 'servername'>;
}

/** The environment variables that decide how the API server is reached. */
export interface AccessEnvironment {
  KUBECONFIG?: string | undefined;
  KUBERNETES_SERVICE_HOST?: string | undefined;
  KUBERNETES_SERVICE_PORT?: string | undefined;
}

/**
 * KUBECONFIG where it is set, else the pod's service account, else an error that says what to set. There is no silent
 * fallback to `~/.kube/config`: an operator must not work on whatever cluster somebody looked at last.
 */
export async function loadClusterAccess(environment: AccessEnvironment): Promise<ClusterAccess> {
  if (environment.KUBECONFIG) {
    // client-node costs 26 MB of heap and 90 MB of RSS at import; a pod never needs it, so images leave it out.
    const { kubeConfigAccess } = await import('./kube-config-access.ts');
    return kubeConfigAccess(environment.KUBECONFIG);
  }
  if (environment.KUBERNETES_SERVICE_HOST) {
    const { inClusterAccess } = await import('./in-cluster-access.ts');
    return inClusterAccess(environment.KUBERNETES_SERVICE_HOST, environment.KUBERNETES_SERVICE_PORT ?? '443');
  }
  throw new Error('no way to the API server: set KUBECONFIG, or run in a pod with a service account token');
}
