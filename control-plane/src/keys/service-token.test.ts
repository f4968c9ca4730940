import { createHmac, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { signServiceToken, TOKEN_SECONDS, type TokenSubject, verifyServiceToken } from './service-token.ts';

const NOW = new Date('2026-11-30T12:00:00Z');
const PARTIES = { issuer: 'https://portal.example.test', audience: 'https://portal.example.test/v1' };
const SUBJECT: TokenSubject = { keyId: randomUUID(), tenant: 'demo', scopes: ['budget.read', 'usage.read'] };
const ours = generateKeyPairSync('ed25519');
const theirs = generateKeyPairSync('ed25519');
const SIGNER = { kid: 'one', privateKey: ours.privateKey };

const known = async (kid: string): Promise<KeyObject | undefined> => (kid === 'one' ? ours.publicKey : undefined);
const verify = (token: string, at = NOW, parties = PARTIES) => verifyServiceToken(token, known, parties, at);
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** Ours in every claim, unless `more` says otherwise. */
function claims(more: object = {}) {
  const iat = NOW.getTime() / 1000;
  const { issuer: iss, audience: aud } = PARTIES;
  const base = {
    iss,
    aud,
    sub: SUBJECT.keyId,
    jti: randomUUID(),
    iat,
    exp: iat + 60,
    tenant: 'demo',
    scope: 'usage.read',
  };
  return { ...base, ...more };
}

function signed(payload: Record<string, unknown>, header: object = {}, key: KeyObject = ours.privateKey) {
  return new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'one', ...header }).sign(key);
}

test('a token speaks for its key, in its tenant, with its scopes', async () => {
  const { token, expiresAt } = await signServiceToken(SIGNER, PARTIES, SUBJECT, NOW);
  expect(await verify(token)).toEqual(SUBJECT);
  expect(expiresAt.getTime() - NOW.getTime()).toBe(TOKEN_SECONDS * 1000);
  // Shorter than every proxy's limit of a header.
  expect(token.length).toBeLessThan(1_000);
});

test('a token is over after its fifteen minutes', async () => {
  const { token, expiresAt } = await signServiceToken(SIGNER, PARTIES, SUBJECT, NOW);
  expect(await verify(token, new Date(expiresAt.getTime() - 1_000))).toEqual(SUBJECT);
  expect(await verify(token, expiresAt)).toBeUndefined();
});

test('a token for another audience or of another issuer is none', async () => {
  const { token } = await signServiceToken(SIGNER, { ...PARTIES, audience: 'https://other.test' }, SUBJECT, NOW);
  expect(await verify(token)).toBeUndefined();
  expect(await verify(token, NOW, { ...PARTIES, audience: 'https://other.test' })).toEqual(SUBJECT);
  expect(await verify(await signed(claims({ iss: 'https://evil.test' })))).toBeUndefined();
});

test('a forged token is none: another key, another kid, a changed claim', async () => {
  expect(await verify(await signed(claims()))).toMatchObject({ tenant: 'demo' });
  expect(await verify(await signed(claims(), {}, theirs.privateKey))).toBeUndefined();
  expect(await verify(await signed(claims(), { kid: 'two' }))).toBeUndefined();
  const [head, , signature] = (await signed(claims())).split('.');
  expect(await verify(`${head}.${encode(claims({ tenant: 'other' }))}.${signature}`)).toBeUndefined();
});

test('alg none and a signature by our public key as a shared secret are refused', async () => {
  const unsigned = `${encode({ alg: 'none', typ: 'at+jwt', kid: 'one' })}.${encode(claims())}`;
  expect(await verify(`${unsigned}.`)).toBeUndefined();
  const body = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'one' })}.${encode(claims())}`;
  const secret = ours.publicKey.export({ type: 'spki', format: 'pem' });
  expect(await verify(`${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`)).toBeUndefined();
});

test('a token of another kind, or without an end, a key or a tenant, is none', async () => {
  expect(await verify(await signed(claims(), { typ: 'JWT' }))).toBeUndefined();
  for (const claim of ['exp', 'sub', 'tenant', 'scope', 'jti', 'aud', 'iss']) {
    expect(await verify(await signed(claims({ [claim]: undefined }))), claim).toBeUndefined();
  }
  expect(await verify(await signed(claims({ sub: 'somebody' })))).toBeUndefined();
  expect(await verify('a.b.c')).toBeUndefined();
});
