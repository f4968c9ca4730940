import { createHash, timingSafeEqual } from 'node:crypto';

/** The one application each provider knows. */
export type Client = {
  readonly id: string;
  readonly secret: string;
  /** Exactly these, to the letter. */
  readonly redirectUris: readonly string[];
};

/** Whether a token request comes from the client: its secret in the body, or as HTTP Basic. */
export function isClient(client: Client, authorization: string | undefined, form: URLSearchParams): boolean {
  const [id, secret] = basic(authorization) ?? [form.get('client_id'), form.get('client_secret')];
  return id === client.id && secret !== null && sameText(secret, client.secret);
}

function basic(authorization: string | undefined): [string, string] | undefined {
  const encoded = /^basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':');
  return [decodeURIComponent(id), decodeURIComponent(secret)];
}

function sameText(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
