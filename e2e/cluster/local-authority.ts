import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { run } from '../process/run.ts';
import { type KeyPair, makeAuthority } from './certificates.ts';

/** Seconds of validity that an authority must have left to be used again. */
const LEFT_SECONDS = 2 * 24 * 3600;

/**
 * The local certificate authority in `folder`: it signs what the ingress shows where cert-manager is absent. Once made it
 * stays, so that whoever trusts it in a browser need not do so again; only when it is about to expire is a new one made.
 */
export async function localAuthority(folder: string): Promise<KeyPair> {
  const pair = { keyFile: path.join(folder, 'ca.key'), certificateFile: path.join(folder, 'ca.crt') };
  if (existsSync(pair.keyFile) && (await isFresh(pair.certificateFile))) return pair;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return makeAuthority(folder, 'ca', 'CloudFreedom local CA');
}

function isFresh(certificateFile: string): Promise<boolean> {
  return run('openssl', ['x509', '-noout', '-checkend', String(LEFT_SECONDS), '-in', certificateFile]).then(
    () => true,
    () => false,
  );
}
