import { Writable } from 'node:stream';
import type pg from 'pg';
import { pino } from 'pino';
import type { TenantRegistration } from '../catalogue/registrations.ts';
import { openPool } from '../database/pool.ts';
import type { Quotas } from '../http/limits/quotas.ts';
import { ROLES_WITH_SEAT, type Role } from '../http/permissions.ts';
import { SESSION_COOKIE } from '../identity/session/session-cookie.ts';
import { openSession, type SignInMethod } from '../identity/session/sessions.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../start.ts';
import {
  modelRegistration,
  sha256Hex,
  type TenantSecrets,
  tenantRegistration,
  tenantSecrets,
} from './registrations.ts';

export const ADMIN_KEY = 'admin-key-of-the-tests';
export const OPERATOR_KEY = 'operator-key-of-the-tests';
export const ENCRYPTION_KEY = 'encryption-key-of-the-tests-00000';
export const PORTAL_URL = 'https://portal.example.test';

/** Tests sign in often; what a real hash costs is measured elsewhere. */
const CHEAP_HASH = { ln: 10, r: 8, p: 1 };
/** Tests call more often than people do. */
const QUOTA = 1_000_000;
export const NO_LIMITS: Quotas = {
  anonymous: QUOTA,
  address: QUOTA,
  person: QUOTA,
  key: QUOTA,
  tenant: QUOTA,
  admin: QUOTA,
  expensive: QUOTA,
};

export type ApiAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; tests say with `toMatchObject` what they expect of it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads answers of every shape, and each is checked against OpenAPI
  readonly body: any;
};

export type Api = {
  readonly controlPlane: ControlPlane;
  /** Every line logged so far. */
  readonly log: string[];
  readonly call: (
    method: string,
    path: string,
    key: string | undefined,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<ApiAnswer>;
  readonly admin: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<ApiAnswer>;
  /** Registers a tenant with two models, small and large. */
  readonly tenant: (name: string, more?: Partial<TenantRegistration>) => Promise<TenantSecrets>;
  /** A verified person of this address with a session, as if they had registered and signed in. */
  readonly signedIn: (email: string, more?: PersonOptions) => Promise<TestPerson>;
  /** Makes a person of a tenant what `role` says. */
  readonly belongs: (person: TestPerson, tenant: string, role: Role) => Promise<void>;
  /** One call by the portal's pages in a person's browser. */
  readonly as: (
    person: TestPerson,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<ApiAnswer>;
  /** The database behind it, for what no route does. */
  readonly pool: pg.Pool;
  readonly stop: () => Promise<void>;
};

export type PersonOptions = {
  readonly name?: string;
  readonly platformAdmin?: boolean;
  readonly language?: 'de' | 'en';
  readonly methods?: readonly SignInMethod[];
};
export type TestPerson = {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly cookie: string;
};

/** A whole control plane over HTTP, every answer of which is checked against its description. */
export async function startApi(options: Partial<ControlPlaneOptions> = {}): Promise<Api> {
  const log: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const controlPlane = await startControlPlane({
    adminKey: ADMIN_KEY,
    operatorKey: OPERATOR_KEY,
    encryptionKey: ENCRYPTION_KEY,
    portalUrl: PORTAL_URL,
    topUpUrl: 'https://example.test/top-up',
    hashCost: CHEAP_HASH,
    quotas: NO_LIMITS,
    log: pino({ level: 'trace' }, sink),
    ...options,
  });
  const call: Api['call'] = async (method, path, key, body, headers = {}) => {
    const response = await fetch(controlPlane.url + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /[/+]json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
  const admin: Api['admin'] = (method, path, body, headers) => call(method, path, ADMIN_KEY, body, headers);
  const pool = openPool({ url: controlPlane.databaseUrl, maxConnections: 2, onError: () => {} });
  return {
    controlPlane,
    log,
    call,
    admin,
    pool,
    signedIn: async (email, more = {}) => {
      const { rows } = await pool.query<{ id: string }>(
        `insert into person (email, name, language, email_verified_at, platform_admin)
         values ($1, $2, $3, now(), $4) returning id`,
        [email, more.name ?? 'Person', more.language ?? 'en', more.platformAdmin ?? false],
      );
      const id = rows[0]?.id ?? '';
      const from = { address: undefined, userAgent: undefined };
      const { token } = await openSession(pool, id, more.methods ?? ['password'], from);
      return { id, email, token, cookie: `${SESSION_COOKIE}=${token}` };
    },
    belongs: async (person, tenant, role) => {
      const seat = ROLES_WITH_SEAT.has(role)
        ? `(insert into member (tenant_id, email, role) select id, '${person.email}', 'user' from t returning id)`
        : `(select null::uuid as id)`;
      const { rowCount } = await pool.query(
        `with t as (select id from tenant where name = $2 and state <> 'erased'), seat as ${seat}
         insert into membership (tenant_id, person_id, role, member_id) select t.id, $1, $3, seat.id from t, seat`,
        [person.id, tenant, role],
      );
      if (rowCount !== 1) throw new Error(`there is no tenant ${tenant}`);
    },
    as: (person, method, path, body, headers = {}) =>
      call(method, path, undefined, body, { cookie: person.cookie, origin: PORTAL_URL, ...headers }),
    tenant: async (name, more = {}) => {
      await call('PUT', '/v1/models/small', OPERATOR_KEY, modelRegistration());
      await call('PUT', '/v1/models/large', OPERATOR_KEY, modelRegistration({ class: 'full' }));
      const secrets = tenantSecrets();
      const { status } = await call('PUT', `/v1/tenants/${name}`, OPERATOR_KEY, tenantRegistration(secrets, more));
      if (status !== 201) throw new Error(`tenant ${name} was answered ${status}`);
      return secrets;
    },
    stop: async () => {
      await pool.end();
      await controlPlane.stop();
    },
  };
}

/** The body of an authorise; its bound costs 636,756 nano-EUR on the small model. */
export function authoriseBody(secrets: TenantSecrets, requestId: string, more: object = {}): object {
  return {
    requestId,
    keySha256: sha256Hex(secrets.chatKey),
    user: { externalId: 'user-1', email: 'person@example.test', name: 'Person', role: 'user' },
    model: 'small',
    callType: 'chat',
    boundInputTokens: 100,
    maxOutputTokens: 1000,
    images: 0,
    stream: true,
    ...more,
  };
}

/** The body of a settle: 50 tokens in, 500 out. */
export function settleBody(requestId: string, more: object = {}): object {
  return {
    requestId,
    modelServed: 'small',
    usage: {
      inputTokens: 50,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 500,
      images: 0,
      totalTokens: 550,
    },
    cacheHit: false,
    finish: 'complete',
    startedAt: '2026-11-20T10:00:00.000Z',
    firstTokenAt: '2026-11-20T10:00:00.400Z',
    endedAt: '2026-11-20T10:00:02.000Z',
    ...more,
  };
}
