import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Browser } from '@cloudfreedom/control-plane/oidc/testing/browser.ts';
import { chatOf, ISSUER } from '@cloudfreedom/control-plane/oidc/testing/chat.ts';
import { type Api, startApi, type TestPerson } from '@cloudfreedom/control-plane/testing/api.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../images/python-env.ts';
import { progress } from '../process/progress.ts';

const SCRIPT = path.join(import.meta.dirname, 'authlib_client.py');

let api: Api;
let bin: string;
let ada: TestPerson;
const replica = () => api.controlPlane.url;
const acme = chatOf('acme', replica);

beforeAll(async () => {
  bin = await pythonEnvironment('oidc-client', progress('authlib'));
  // What pods call is part of the discovery document, so the address must be known before the start.
  const port = await freePort();
  api = await startApi({ port, clusterUrl: `http://127.0.0.1:${port}` });
  await api.tenant('acme', { oidc: acme.registration });
  ada = await api.signedIn('ada@example.test', { name: 'Ada Example', language: 'de' });
  await api.belongs(ada, 'acme', 'admin');
});
afterAll(() => api?.stop());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('Authlib, in a pod without ingress or authority, signs a member in and is strict about everything', async () => {
  const chat = spawn(path.join(bin, 'python'), [SCRIPT], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      OPENID_PROVIDER_URL: `${api.controlPlane.url}/oidc/cluster/.well-known/openid-configuration`,
      OAUTH_CLIENT_ID: acme.clientId,
      OAUTH_CLIENT_SECRET: acme.secret,
      OPENID_REDIRECT_URI: acme.redirectUri,
    },
  });
  const lines = createInterface({ input: chat.stdout })[Symbol.asyncIterator]();
  const said = async () => JSON.parse((await lines.next()).value ?? '{}');
  const ended = once(chat, 'exit');
  const { url } = await said();
  expect(url).toMatch(new RegExp(`^${ISSUER}/auth\\?`));
  const page = await new Browser(replica, ada.cookie).open(url);
  chat.stdin.end(`${page.url.href}\n`);
  const learnt = await said();
  expect((await ended)[0]).toBe(0);
  const person = { sub: ada.id, email: ada.email, email_verified: true, name: 'Ada Example', locale: 'de' };
  expect(learnt.claims).toMatchObject({ ...person, iss: ISSUER, roles: ['user'], groups: ['admin'] });
  expect(learnt.user).toMatchObject({ ...person, roles: ['user'], groups: ['admin'] });
  expect(learnt.renewed).toBe(ada.id);
  expect(learnt.refused).toEqual({
    'wrong verifier': 'invalid_grant',
    'wrong secret': 'invalid_client',
    'code again': 'invalid_grant',
    'no signature': expect.stringMatching(/Error$/),
    'another nonce': 'InvalidClaimError',
  });
});
