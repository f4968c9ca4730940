import type { IncomingMessage } from 'node:http';
import type pg from 'pg';
import { cookiesOf } from '../http/client.ts';
import { SESSION_COOKIE } from '../identity/session/session-cookie.ts';
import { readSession, type SignedIn, type SignInMethod } from '../identity/session/sessions.ts';

/** Who is signed in at the portal in the browser that sends this. */
export async function portalSession(pool: pg.Pool, request: IncomingMessage): Promise<SignedIn | undefined> {
  const token = cookiesOf(request).get(SESSION_COOKIE);
  return token === undefined ? undefined : readSession(pool, token);
}

/** By RFC 8176, as far as it has a word for it. */
const METHOD_REFERENCES: Partial<Record<SignInMethod, string>> = {
  password: 'pwd',
  totp: 'otp',
  recovery: 'otp',
  passkey: 'pop',
};

/** The `amr` claim of a session. */
export function methodReferences(methods: readonly SignInMethod[]): string[] {
  const references = new Set(methods.flatMap((method) => METHOD_REFERENCES[method] ?? []));
  return references.size > 1 ? [...references, 'mfa'] : [...references];
}
