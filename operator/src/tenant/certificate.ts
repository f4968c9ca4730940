import { X509Certificate } from 'node:crypto';
import type { SecretData } from './wish.ts';

/** A certificate is renewed when this share of its life has passed. */
const RENEWAL_SHARE = 2 / 3;

/** Whether the certificate that is there will do, and until when. */
export type CertificateState = { state: 'good'; renewAtMs: number } | { state: 'due'; why: string };

/** Judges the tenant's certificate against the hosts it must name and the authority it must come from. */
export function certificateState(
  certificate: SecretData | undefined,
  hosts: readonly string[],
  authority: SecretData,
  nowMs: number,
): CertificateState {
  const current = read(certificate);
  const issuer = read(authority);
  if (!current || !certificate?.['tls.key']) return { state: 'due', why: 'there is none' };
  if (!issuer?.publicKey || !current.verify(issuer.publicKey)) return { state: 'due', why: 'the authority changed' };
  const named = (current.subjectAltName ?? '').split(', ').map((entry) => entry.replace(/^DNS:/, ''));
  if (named.length !== hosts.length || hosts.some((host) => !named.includes(host))) {
    return { state: 'due', why: 'the host names changed' };
  }
  const [from, to] = [Date.parse(current.validFrom), Date.parse(current.validTo)];
  const renewAtMs = from + (to - from) * RENEWAL_SHARE;
  return nowMs < renewAtMs ? { state: 'good', renewAtMs } : { state: 'due', why: 'it is old' };
}

function read(data: SecretData | undefined): X509Certificate | undefined {
  try {
    return new X509Certificate(data?.['tls.crt'] ?? '');
  } catch {
    // no certificate at all: whoever asked makes a new one, or says that the authority is broken
    return undefined;
  }
}

/** Whether a Secret holds a certificate that can be read and a key. */
export function isAuthority(data: SecretData): boolean {
  return read(data)?.ca === true && Boolean(data['tls.key']);
}
