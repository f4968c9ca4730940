import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { Agent, fetch } from 'undici';
import type { LocalEnv } from './local-env.ts';

/** Milliseconds without a byte after which a call is given up: longer than any story's slowest stream. */
const SILENCE_MS = 300_000;
/** Characters of an unexpected body that an error quotes. */
const MAX_QUOTED_CHARACTERS = 200;

/** Whatever the API answered: the HTTP status and the parsed JSON body. */
export interface ApiAnswer<Body> {
  status: number;
  body: Body;
  headers: Headers;
}

/** The ways into a running platform, over HTTPS through its ingress, trusting its local CA and nothing less. */
export interface WayIn {
  /** One call of the control plane's API with the admin key. */
  api<Body>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer<Body>>;
  /** One JSON call of any of the platform's hosts, without a key of its own. */
  call<Body>(method: string, url: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer<Body>>;
  /** An `openai` client for one tenant's host; it never retries by itself, so that each refusal is seen. */
  openai(host: string, apiKey: string): OpenAI;
  /** A bare GET through the ingress. */
  get(url: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>;
  close(): Promise<void>;
}

function parsed(text: string, what: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${what} is no JSON: ${text.slice(0, MAX_QUOTED_CHARACTERS)}`, { cause });
  }
}

/** Opens the ways into the platform that `env` describes. */
export function wayIn(env: LocalEnv): WayIn {
  const dispatcher = new Agent({
    bodyTimeout: SILENCE_MS,
    headersTimeout: SILENCE_MS,
    connections: 256,
    connect: {
      ca: readFileSync(env.CA_FILE, 'utf8'),
      // every name of the platform is served at one address; no resolver needs to know it
      lookup: (_name, options, callback) => {
        const family = env.INGRESS_ADDRESS.includes(':') ? 6 : 4;
        if (options.all) callback(null, [{ address: env.INGRESS_ADDRESS, family }]);
        else callback(null, env.INGRESS_ADDRESS, family);
      },
    },
  });
  const call: WayIn['call'] = async (method, url, body, headers = {}) => {
    const answer = await fetch(url, {
      method,
      dispatcher,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const told = parsed(await answer.text(), `${method} ${url}: ${answer.status}`);
    return { status: answer.status, body: told, headers: answer.headers } as never;
  };
  return {
    call,
    api: (method, path, body, headers = {}) =>
      call(method, `${env.API_URL}${path}`, body, { authorization: `Bearer ${env.ADMIN_KEY}`, ...headers }),
    openai: (host, apiKey) =>
      new OpenAI({
        baseURL: `https://${host}/v1`,
        apiKey,
        maxRetries: 0,
        fetch: fetch as never,
        fetchOptions: { dispatcher } as never,
      }),
    async get(url, headers = {}) {
      const answer = await fetch(url, { dispatcher, headers, redirect: 'manual' });
      return { status: answer.status, text: await answer.text() };
    },
    close: () => dispatcher.close(),
  };
}
