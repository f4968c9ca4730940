import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { SecretData } from './wish.ts';

/** Days a certificate is valid; browsers refuse much longer ones. */
const VALID_DAYS = 90;
/** Clocks of clients may be this far behind. */
const CLOCK_SKEW_MS = 300_000;
const DAY_MS = 86_400_000;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** The common name holds 64 characters; names that matter are in the subject alternative name anyway. */
const COMMON_NAME_LIMIT = 64;

/** Makes a key and a server certificate for `hosts`, signed by `authority` (a `kubernetes.io/tls` Secret's data). */
export async function issueCertificate(
  authority: SecretData,
  hosts: readonly [string, ...string[]],
  nowMs: number,
): Promise<SecretData> {
  const issuer = new X509Certificate(authority['tls.crt'] ?? '');
  const { key: signingKey, algorithm } = await importSigningKey(authority['tls.key'] ?? '');
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const notAfter = Math.min(nowMs + VALID_DAYS * DAY_MS, issuer.notAfter.getTime());
  const leaf = await X509CertificateGenerator.create(
    {
      serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString('hex'),
      subject: [{ CN: [hosts[0].slice(0, COMMON_NAME_LIMIT)] }],
      issuer: issuer.subject,
      notBefore: new Date(nowMs - CLOCK_SKEW_MS),
      notAfter: new Date(notAfter),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: 'dns', value }))),
      ],
    },
    webcrypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = key.match(/.{1,64}/g) ?? [];
  return {
    'tls.crt': `${leaf.toString('pem')}\n${issuer.toString('pem')}\n`,
    'tls.key': `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
  };
}

/** A private key in PEM, PKCS#8 or the older forms, elliptic or RSA, ready to sign. */
async function importSigningKey(pem: string) {
  const key = createPrivateKey(pem);
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: namedCurve(key.asymmetricKeyDetails?.namedCurve), hash: 'SHA-256' };
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  return { key: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']), algorithm };
}

function namedCurve(openSslName: string | undefined): string {
  const known: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
  const found = known[openSslName ?? ''];
  if (!found) throw new Error(`the authority's key is of a kind that cannot sign: ${openSslName ?? 'unknown'}`);
  return found;
}
