import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { TenantRegistration } from '../catalogue/registrations.ts';
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
  readonly stop: () => Promise<void>;
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
    topUpUrl: 'https://example.test/top-up',
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
  return {
    controlPlane,
    log,
    call,
    admin,
    tenant: async (name, more = {}) => {
      await call('PUT', '/v1/models/small', OPERATOR_KEY, modelRegistration());
      await call('PUT', '/v1/models/large', OPERATOR_KEY, modelRegistration({ class: 'full' }));
      const secrets = tenantSecrets();
      const { status } = await call('PUT', `/v1/tenants/${name}`, OPERATOR_KEY, tenantRegistration(secrets, more));
      if (status !== 201) throw new Error(`tenant ${name} was answered ${status}`);
      return secrets;
    },
    stop: controlPlane.stop,
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
