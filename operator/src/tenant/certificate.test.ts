import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateState, isAuthority } from './certificate.ts';
import { issueCertificate } from './issue-certificate.ts';
import type { SecretData } from './wish.ts';

const HOSTS = ['acme.example.org', 'ai.acme.example'] as const;
const DAY_MS = 86_400_000;
const now = Date.now();
let folder: string;

function authority(name: string, ...key: string[]): SecretData {
  const [keyFile, file] = [path.join(folder, `${name}.key`), path.join(folder, `${name}.crt`)];
  const request = [
    'req',
    '-x509',
    '-config',
    '/dev/null',
    '-newkey',
    ...key,
    '-noenc',
    '-days',
    '365',
    '-subj',
    `/CN=${name}`,
  ];
  const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
  execFileSync('openssl', [...request, ...extensions, '-keyout', keyFile, '-out', file], { stdio: 'ignore' });
  return { 'tls.crt': readFileSync(file, 'utf8'), 'tls.key': readFileSync(keyFile, 'utf8') };
}

let elliptic: SecretData;
let rsa: SecretData;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cf-certificate-'));
  elliptic = authority('elliptic', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256');
  rsa = authority('rsa', 'rsa:2048');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a tenant's certificate", () => {
  it.each(['elliptic', 'rsa'])('from an %s authority is accepted by OpenSSL for its hosts', async (kind) => {
    const issuer = kind === 'rsa' ? rsa : elliptic;
    const leaf = await issueCertificate(issuer, [...HOSTS], now);
    const file = path.join(folder, `${kind}-leaf.crt`);
    writeFileSync(file, leaf['tls.crt'] ?? '');
    const verify = [
      'verify',
      '-CAfile',
      path.join(folder, `${kind}.crt`),
      '-purpose',
      'sslserver',
      '-verify_hostname',
      HOSTS[1],
    ];
    expect(execFileSync('openssl', [...verify, file], { encoding: 'utf8' })).toContain('OK');
    expect(certificateState(leaf, HOSTS, issuer, now)).toMatchObject({ state: 'good' });
  });

  it('is due when there is none, its hosts or its authority changed, or two thirds of its life have passed', async () => {
    const leaf = await issueCertificate(elliptic, [...HOSTS], now);
    expect(certificateState(undefined, HOSTS, elliptic, now).state).toBe('due');
    expect(certificateState(leaf, [HOSTS[0]], elliptic, now).state).toBe('due');
    expect(certificateState(leaf, HOSTS, rsa, now).state).toBe('due');
    expect(certificateState(leaf, HOSTS, elliptic, now + 59 * DAY_MS).state).toBe('good');
    expect(certificateState(leaf, HOSTS, elliptic, now + 61 * DAY_MS).state).toBe('due');
    expect(certificateState({ ...leaf, 'tls.key': '' }, HOSTS, elliptic, now).state).toBe('due');
  });

  it('never outlives its authority', async () => {
    const late = now + 350 * DAY_MS;
    const state = certificateState(await issueCertificate(elliptic, [...HOSTS], late), HOSTS, elliptic, late);
    expect(state.state === 'good' && state.renewAtMs).toBeLessThan(now + 365 * DAY_MS);
  });

  it('needs an authority with a key', async () => {
    expect(isAuthority(elliptic)).toBe(true);
    expect(isAuthority({ 'tls.crt': elliptic['tls.crt'] ?? '', 'tls.key': '' })).toBe(false);
    expect(isAuthority(await issueCertificate(elliptic, [...HOSTS], now))).toBe(false);
    expect(isAuthority({ 'tls.crt': 'nonsense', 'tls.key': 'nonsense' })).toBe(false);
  });
});
