import { openSession } from '@cloudfreedom/control-plane/identity/session/sessions.ts';
import { routes } from '@cloudfreedom/control-plane/routes/routes.ts';
import {
  ADMIN_KEY,
  type Api,
  type ApiAnswer,
  OPERATOR_KEY,
  PORTAL_URL,
  startApi,
} from '@cloudfreedom/control-plane/testing/api.ts';
import type { TenantSecrets } from '@cloudfreedom/control-plane/testing/registrations.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Door, doorOf, type Kind, MAY, NEEDED, SCOPES } from './expected.ts';

/** What a request carries to say who it is. */
type Credentials = Record<string, string>;
type Caller = { readonly name: string; readonly kind: Kind; readonly credentials: () => Promise<Credentials> };
type Role = keyof typeof MAY;

let api: Api;
let own: TenantSecrets;
let foreign: TenantSecrets;
const keys = new Map<string, string>();

const bearer = (key: string): Credentials => ({ authorization: `Bearer ${key}` });
const SAME_SITE = { origin: PORTAL_URL };

/** A key of these scopes; every test file has its own database, so nobody tidies up. */
async function makeKey(name: string, tenant: string, scopes: readonly string[]): Promise<string> {
  const { body } = await api.admin('POST', `/v1/tenants/${tenant}/keys`, { name: name.slice(0, 60), scopes });
  if (body.key === undefined) throw new Error(JSON.stringify(body));
  keys.set(name, body.key);
  return body.id;
}

beforeAll(async () => {
  api = await startApi();
  own = await api.tenant('own');
  foreign = await api.tenant('foreign');
  for (const scope of SCOPES) await makeKey(`a key with ${scope}`, 'own', [scope]);
  await makeKey('a key with all scopes', 'own', SCOPES);
  await makeKey('a key of a foreign tenant', 'foreign', SCOPES);
  const revoked = await makeKey('a revoked key', 'own', SCOPES);
  await api.admin('DELETE', `/v1/tenants/own/keys/${revoked}`);
  const expired = await makeKey('an expired key', 'own', SCOPES);
  await api.pool.query(`update api_key set expires_at = now() - interval '1 second' where id = $1`, [expired]);
  for (const name of ['a key with all scopes', 'a key of a foreign tenant', 'a key with budget.read']) {
    const { body } = await api.call('POST', '/v1/tokens', keys.get(name), {});
    keys.set(`the token of ${name}`, body.token);
  }
});
afterAll(() => api?.stop());

let people = 0;
/** Somebody new, so that no call can spoil another: some of them sign out, leave or erase. */
async function somebody(role: Role | undefined, tenant: string, more: { platformAdmin?: boolean } = {}) {
  people += 1;
  const person = await api.signedIn(`person-${people}@example.test`, more);
  if (role !== undefined) await api.belongs(person, tenant, role);
  return person;
}

const stranger = (name: string, credentials: () => Promise<Credentials>): Caller => ({
  name,
  kind: { is: 'unknown' },
  credentials,
});
const withKey = (name: string, is: 'key' | 'token', may: readonly string[] | undefined): Caller => ({
  name,
  kind: { is, may },
  credentials: async () => bearer(keys.get(name) ?? 'missing'),
});
const person = (name: string, role: Role | undefined, tenant: string, may: readonly string[] | undefined): Caller => ({
  name,
  kind: { is: 'person', may },
  credentials: async () => ({ cookie: (await somebody(role, tenant)).cookie, ...SAME_SITE }),
});

const CALLERS: readonly Caller[] = [
  stranger('nobody', async () => ({})),
  stranger('a wrong key', async () => bearer('a-key-that-nobody-has')),
  stranger('a key that looks like one', async () => bearer(`cf-${'x'.repeat(43)}`)),
  stranger('a token that nobody signed', async () => bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.x')),
  stranger('a revoked key', async () => bearer(keys.get('a revoked key') ?? 'missing')),
  stranger('an expired key', async () => bearer(keys.get('an expired key') ?? 'missing')),
  stranger('the chat’s own key', async () => bearer(own.chatKey)),
  stranger('a guessed session', async () => ({ cookie: `__Host-cloudfreedom=${'A'.repeat(43)}`, ...SAME_SITE })),
  stranger('a session that was ended', async () => {
    const owner = await somebody('owner', 'own');
    await api.pool.query('update session set revoked_at = now() where person_id = $1', [owner.id]);
    return { cookie: owner.cookie, ...SAME_SITE };
  }),
  stranger('a session that has expired', async () => {
    const owner = await somebody('owner', 'own');
    await api.pool.query(`update session set expires_at = now() - interval '1 second' where person_id = $1`, [
      owner.id,
    ]);
    return { cookie: owner.cookie, ...SAME_SITE };
  }),
  stranger('a person who was locked', async () => {
    const owner = await somebody('owner', 'own');
    await api.pool.query(`update person set state = 'locked' where id = $1`, [owner.id]);
    return { cookie: owner.cookie, ...SAME_SITE };
  }),
  stranger('an owner’s session with a wrong key beside it', async () => ({
    cookie: (await somebody('owner', 'own')).cookie,
    ...SAME_SITE,
    ...bearer('a-key-that-nobody-has'),
  })),
  { name: 'the admin key', kind: { is: 'admin key' }, credentials: async () => bearer(ADMIN_KEY) },
  { name: 'the operator key', kind: { is: 'operator key' }, credentials: async () => bearer(OPERATOR_KEY) },
  { name: 'a gateway', kind: { is: 'gateway' }, credentials: async () => bearer(own.credential) },
  { name: 'a foreign gateway', kind: { is: 'gateway' }, credentials: async () => bearer(foreign.credential) },
  {
    name: 'a platform admin',
    kind: { is: 'platform admin' },
    credentials: async () => {
      const admin = await somebody(undefined, 'own', { platformAdmin: true });
      return { cookie: admin.cookie, ...SAME_SITE };
    },
  },
  person('an owner', 'owner', 'own', MAY.owner),
  person('an admin', 'admin', 'own', MAY.admin),
  person('a member', 'member', 'own', MAY.member),
  person('who pays the bills', 'billing', 'own', MAY.billing),
  person('a foreign owner', 'owner', 'foreign', undefined),
  person('a foreign admin', 'admin', 'foreign', undefined),
  person('a foreign member', 'member', 'foreign', undefined),
  person('who is in no tenant', undefined, 'own', undefined),
  ...SCOPES.map((scope) => withKey(`a key with ${scope}`, 'key', [scope])),
  withKey('a key with all scopes', 'key', SCOPES),
  withKey('a key of a foreign tenant', 'key', undefined),
  withKey('the token of a key with all scopes', 'token', SCOPES),
  withKey('the token of a key with budget.read', 'token', ['budget.read']),
  withKey('the token of a key of a foreign tenant', 'token', undefined),
];

type Listed = (typeof routes)[number];

/** A path that is the tenant's own, and nothing else that exists. */
const addressOf = ({ path }: Listed) =>
  path.replace('{tenant}', 'own').replaceAll(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000');

async function call(route: Listed, credentials: Credentials): Promise<ApiAnswer> {
  // A body and a query that no route takes: who gets in is told so, who does not is turned away before they are read.
  const body = route.body === undefined ? undefined : { unknownField: true };
  const query = route.query === undefined ? '' : '?unknownField=true';
  return api.call(route.method.toUpperCase(), addressOf(route) + query, undefined, body, credentials);
}

/** Refusals of what stands before the operations. Others are an operation's own: then its caller was let in. */
const AT_THE_DOOR = [
  '401 key_unknown',
  '403 key_not_allowed',
  '403 not_permitted',
  '403 cross_site',
  '404 tenant_unknown',
  '503 database_away',
];
/** What an operation says in this place, where no cluster is. */
const NO_CLUSTER = '503 cluster_away';

function doorSaid({ status, body }: ApiAnswer): Door | number {
  const said = `${status} ${body?.code}`;
  return AT_THE_DOOR.includes(said) || (status >= 500 && said !== NO_CLUSTER) ? status : 'in';
}

test('every route is in the table, and nothing else is', () => {
  expect(Object.keys(NEEDED).sort()).toEqual(routes.map(({ id }) => id).sort());
});

describe.each(routes.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const))(
  '%s',
  (_name, route) => {
    const needed = NEEDED[route.id] ?? 'not in the table';

    test('answers each caller as the table says', async () => {
      const said: Record<string, Door | number> = {};
      const wanted: Record<string, Door | number> = {};
      for (const caller of CALLERS) {
        wanted[caller.name] = doorOf(needed, caller.kind);
        said[caller.name] = doorSaid(await call(route, await caller.credentials()));
      }
      expect(said).toEqual(wanted);
    });

    test('does not do what another site made a browser ask for', async () => {
      const owner = await somebody('owner', 'own');
      const elsewhere = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }];
      for (const site of elsewhere) {
        const answer = await call(route, { cookie: owner.cookie, ...site });
        // What only reads may be linked to; the answer stays in the browser.
        const same = await call(route, { cookie: (await somebody('owner', 'own')).cookie, ...SAME_SITE });
        if (route.method === 'get') expect(doorSaid(answer)).toBe(doorSaid(same));
        else expect(answer).toMatchObject({ status: 403, body: { code: 'cross_site' } });
      }
    });

    test('with If-Match or an Idempotency-Key opens to nobody else', async () => {
      const headers = { 'if-match': '*', 'idempotency-key': 'wish-1' };
      expect(doorSaid(await call(route, headers))).toBe(doorOf(needed, { is: 'unknown' }));
      const member = await somebody('member', 'own');
      const answer = await call(route, { cookie: member.cookie, ...SAME_SITE, ...headers });
      if (needed !== 'public') {
        expect([doorOf(needed, { is: 'person', may: MAY.member }), 412]).toContain(
          answer.status === 412 ? 412 : doorSaid(answer),
        );
      }
    });
  },
);

test('a second session of the same person is let in as the first one is', async () => {
  const owner = await somebody('owner', 'own');
  const { token } = await openSession(api.pool, owner.id, ['passkey'], { address: undefined, userAgent: undefined });
  const answer = await api.call('GET', '/v1/tenants/own/budget', undefined, undefined, {
    cookie: `__Host-cloudfreedom=${token}`,
  });
  expect(answer.status).toBe(200);
});
