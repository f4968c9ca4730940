import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeIdentity, startFakeIdentity } from './server.ts';

const client = { id: 'client', secret: 'secret', redirectUris: ['https://portal.example.test/callback'] };
const VERIFIER = 'v'.repeat(43);
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

let identity: FakeIdentity;
beforeAll(async () => {
  identity = await startFakeIdentity({ client });
});
afterAll(() => identity.close());

const PATHS = { authorize: '/gitlab/oauth/authorize', token: '/gitlab/oauth/token' };

function authorizeUrl(more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: client.id,
    redirect_uri: client.redirectUris[0] ?? '',
    response_type: 'code',
    scope: 'openid email',
    state: 'state',
    nonce: 'nonce',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...more,
  });
  return `${identity.url}${PATHS.authorize}?${query}`;
}

async function code(): Promise<string> {
  const body = new URLSearchParams({ email: 'anna@example.test', verified: 'on' });
  const response = await fetch(authorizeUrl(), { method: 'POST', body, redirect: 'manual' });
  return new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? '';
}

async function redeem(more: Record<string, string>): Promise<Response> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: client.id,
    client_secret: client.secret,
    redirect_uri: client.redirectUris[0] ?? '',
    code_verifier: VERIFIER,
    ...more,
  });
  return fetch(identity.url + PATHS.token, { method: 'POST', body });
}

test('its page has a form, and its code is redeemed once', async () => {
  expect(await (await fetch(authorizeUrl())).text()).toContain('<form method="post">');
  const given = await code();
  expect((await redeem({ code: given })).status).toBe(200);
  expect((await redeem({ code: given })).status).toBe(400);
});

describe('it refuses', () => {
  test.each([
    ['an unknown client', { client_id: 'other' }],
    ['a redirect_uri that is longer by a slash', { redirect_uri: `${client.redirectUris[0]}/` }],
    ['a request without state', { state: '' }],
    ['a request without PKCE', { code_challenge: '' }],
    ['plain PKCE', { code_challenge_method: 'plain' }],
  ])('%s, and sends the browser nowhere', async (_name, wrong: Record<string, string>) => {
    const response = await fetch(authorizeUrl(wrong), { method: 'POST', redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  test.each([
    ['a wrong secret', { client_secret: 'wrong' }, 401],
    ['a wrong verifier', { code_verifier: 'w'.repeat(43) }, 400],
    ['another redirect_uri than before', { redirect_uri: 'https://portal.example.test/other' }, 400],
  ])('to redeem a code with %s', async (_name, wrong: Record<string, string>, status) => {
    expect((await redeem({ code: await code(), ...wrong })).status).toBe(status);
  });
});
