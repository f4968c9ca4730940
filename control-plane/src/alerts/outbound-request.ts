import { promises as dns, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';

/** Milliseconds a receiver has for everything: name, connection, answer. */
const TIMEOUT_MS = 10_000;
const MAX_URL_LENGTH = 2048;

/** Why an address from a customer is not called. The message is for that customer. */
export class AddressRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AddressRefused';
  }
}

export type OutboundOptions = {
  /** host:port that may be called whatever its address, and without TLS: named by whoever runs the platform. */
  readonly trustedHosts: readonly string[];
  readonly signal: AbortSignal;
  /** Replaces the name service in tests. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>;
  readonly timeoutMs?: number;
};

/**
 * Judges what can be judged without asking the name service.
 * @throws AddressRefused
 */
export function parseWebhookUrl(text: string, trustedHosts: readonly string[]): URL {
  if (text.length > MAX_URL_LENGTH) throw new AddressRefused(`must have at most ${MAX_URL_LENGTH} characters`);
  const url = URL.parse(text);
  if (url === null) throw new AddressRefused('must be a URL like "https://hooks.example.org/budget"');
  if (url.username !== '' || url.password !== '') throw new AddressRefused('must not hold a user or password');
  if (isTrusted(url, trustedHosts)) return url;
  if (url.protocol !== 'https:') throw new AddressRefused('must begin with https://');
  const host = hostOf(url);
  if (isIP(host) > 0 && !isPublicAddress(host)) throw new AddressRefused('must not lead into a private network');
  return url;
}

/**
 * Posts to an address that a customer gave. Every address its name has must be public, and the very one that was judged
 * is connected to: a name that changes its mind in between gains nothing. Redirects are not followed.
 * @returns the status of the answer, whose body is not read
 * @throws AddressRefused, or an Error of the network
 */
export async function postOutbound(
  target: string,
  headers: Record<string, string>,
  body: string,
  options: OutboundOptions,
): Promise<number> {
  const url = parseWebhookUrl(target, options.trustedHosts);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)]);
  const host = hostOf(url);
  const addresses = isIP(host) > 0 ? [{ address: host, family: isIP(host) }] : await addressesOf(host, options, signal);
  const first = addresses[0];
  if (first === undefined) throw new AddressRefused('its name has no address');
  if (!isTrusted(url, options.trustedHosts) && !addresses.every(({ address }) => isPublicAddress(address))) {
    throw new AddressRefused('its name leads into a private network');
  }
  return post(url, first, { ...headers, 'content-length': String(Buffer.byteLength(body)) }, body, signal);
}

async function addressesOf(
  host: string,
  options: OutboundOptions,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const resolve = options.resolve ?? ((hostname: string) => dns.lookup(hostname, { all: true, order: 'ipv4first' }));
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([resolve(host), late]);
}

function post(
  url: URL,
  pinned: LookupAddress,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<number> {
  const lookup: LookupFunction = (_hostname, { all }, answer) => {
    if (all) answer(null, [pinned]);
    else answer(null, pinned.address, pinned.family);
  };
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers, lookup, signal, agent: false }, (answer) => {
      resolve(answer.statusCode ?? 0);
      // Whatever it says is of no interest, however long it is.
      answer.on('error', () => {});
      answer.destroy();
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** With its port always: "hooks:8080", "hooks.example.org:443". */
function isTrusted(url: URL, trustedHosts: readonly string[]): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return /^https?:$/.test(url.protocol) && trustedHosts.includes(`${url.hostname}:${port}`);
}

/** Without the brackets of IPv6. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}
