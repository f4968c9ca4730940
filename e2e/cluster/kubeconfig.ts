import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { KeyPair } from './certificates.ts';

/** How a client shows the API server who it is. */
export type Credential = { token: string } | KeyPair;

/** Writes a kubeconfig with everything embedded, so that it works from any folder and machine namespace. Mode 0600. */
export function writeKubeconfig(path: string, url: string, authorityFile: string, credential: Credential): void {
  const user =
    'token' in credential
      ? { token: credential.token }
      : {
          'client-certificate-data': readFileSync(credential.certificateFile).toString('base64'),
          'client-key-data': readFileSync(credential.keyFile).toString('base64'),
        };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'cloudfreedom',
        cluster: { server: url, 'certificate-authority-data': readFileSync(authorityFile).toString('base64') },
      },
    ],
    users: [{ name: 'cloudfreedom', user }],
    contexts: [{ name: 'cloudfreedom', context: { cluster: 'cloudfreedom', user: 'cloudfreedom' } }],
    'current-context': 'cloudfreedom',
  };
  writeFileSync(path, stringify(config), { mode: 0o600 });
}
