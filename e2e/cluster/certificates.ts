import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Days a certificate of the rig is valid: long for a cluster that lives for hours, short enough to be of no use elsewhere. */
const VALID_DAYS = 30;

/** Paths of a PEM key and of its PEM certificate. */
export interface KeyPair {
  keyFile: string;
  certificateFile: string;
}

/** What a certificate says about its holder. `names` are DNS names or IPv4 addresses and make it a server certificate. */
export interface CertificateSubject {
  commonName: string;
  /** Kubernetes reads a client's groups from here. */
  organization?: string;
  names?: readonly string[];
}

/** Makes a certificate authority of P-256 in `folder` as `<name>.key` and `<name>.crt`. */
export function makeAuthority(folder: string, name: string, commonName: string): KeyPair {
  const pair = { keyFile: join(folder, `${name}.key`), certificateFile: join(folder, `${name}.crt`) };
  openssl([
    ...newKeyArguments(pair, { commonName }),
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  ]);
  chmodSync(pair.keyFile, 0o600);
  return pair;
}

/** Makes a key in `folder` and a certificate for it that `authority` signs, good for clients, and for servers if it has names. */
export function issueCertificate(
  folder: string,
  name: string,
  subject: CertificateSubject,
  authority: KeyPair,
): KeyPair {
  const pair = { keyFile: join(folder, `${name}.key`), certificateFile: join(folder, `${name}.crt`) };
  const names = subject.names ?? [];
  const alternatives = names.map((entry) => (/^[0-9.]+$/.test(entry) ? `IP:${entry}` : `DNS:${entry}`)).join(',');
  openssl([
    ...newKeyArguments(pair, subject),
    '-CA',
    authority.certificateFile,
    '-CAkey',
    authority.keyFile,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
    '-addext',
    'keyUsage=critical,digitalSignature',
    '-addext',
    `extendedKeyUsage=clientAuth${names.length > 0 ? ',serverAuth' : ''}`,
    ...(names.length > 0 ? ['-addext', `subjectAltName=${alternatives}`] : []),
  ]);
  chmodSync(pair.keyFile, 0o600);
  return pair;
}

/** Makes the key pair with which an API server signs service account tokens. */
export function makeServiceAccountKeys(folder: string): { privateKeyFile: string; publicKeyFile: string } {
  const files = {
    privateKeyFile: join(folder, 'service-account.key'),
    publicKeyFile: join(folder, 'service-account.pub'),
  };
  openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', files.privateKeyFile]);
  chmodSync(files.privateKeyFile, 0o600);
  writeFileSync(files.publicKeyFile, openssl(['pkey', '-in', files.privateKeyFile, '-pubout']));
  return files;
}

function newKeyArguments(pair: KeyPair, subject: CertificateSubject): string[] {
  const organization = subject.organization === undefined ? '' : `/O=${subject.organization}`;
  return [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-sha256'],
    ...['-config', '/dev/null', '-days', String(VALID_DAYS), '-subj', `${organization}/CN=${subject.commonName}`],
    ...['-keyout', pair.keyFile, '-out', pair.certificateFile],
  ];
}

function openssl(arguments_: string[]): string {
  return execFileSync('openssl', arguments_, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
