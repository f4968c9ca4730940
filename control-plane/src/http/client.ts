import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Addresses of X-Forwarded-For that are looked at, from the right. */
const MAX_HOPS = 10;
const MAX_HEADER_LENGTH = 8_192;
const MAX_LANGUAGES = 16;

/** Where a request comes from, as far as it can be believed. */
export type ClientInfo = {
  /** The IP address of the client: of the connection, or what a trusted proxy says of it. */
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
  /** The one of our languages that Accept-Language likes best; undefined when it likes none. */
  readonly language: 'de' | 'en' | undefined;
};

/** Proxies whose X-Forwarded-For is believed. */
export type TrustedProxies = { readonly trusts: (address: string) => boolean };

/** @param networks in CIDR notation; none: no header is believed. @throws Error at one that is no network */
export function trustedProxies(networks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    const family = isIP(address);
    if (family === 0 || !/^\d{1,3}$/.test(prefix)) throw new Error(`${network} is no network like 10.0.0.0/8`);
    list.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4');
  }
  return { trusts: (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}

export function clientOf(request: IncomingMessage, proxies: TrustedProxies): ClientInfo {
  return {
    address: addressOf(request, proxies),
    userAgent: request.headers['user-agent'],
    language: languageOf(request.headers['accept-language']),
  };
}

/** Goes from the connection's end towards the client for as long as those who say so are trusted proxies. */
function addressOf(request: IncomingMessage, proxies: TrustedProxies): string | undefined {
  let address = plain(request.socket.remoteAddress);
  const header = request.headers['x-forwarded-for'];
  if (address === undefined || typeof header !== 'string' || header.length > MAX_HEADER_LENGTH) return address;
  for (const hop of header.split(',').slice(-MAX_HOPS).reverse()) {
    const said = plain(hop.trim());
    if (address === undefined || said === undefined || !proxies.trusts(address)) break;
    address = said;
  }
  return address;
}

/** An IPv4 address that came by IPv6 is the IPv4 address; anything that is no address is none. */
function plain(address: string | undefined): string | undefined {
  const bare = address?.replace(/^::ffff:(?=\d+\.)/i, '');
  return bare !== undefined && isIP(bare) !== 0 ? bare : undefined;
}

function languageOf(accepted: string | undefined): 'de' | 'en' | undefined {
  const likes = (accepted ?? '')
    .split(',')
    .slice(0, MAX_LANGUAGES)
    .flatMap((part, place) => {
      const match = /^\s*(de|en)(?:-[\w-]+)?\s*(?:;\s*q=([01](?:\.\d{1,3})?))?\s*$/i.exec(part);
      const quality = Number(match?.[2] ?? 1);
      return match?.[1] === undefined || quality <= 0 ? [] : [{ language: match[1].toLowerCase(), quality, place }];
    })
    .sort((one, other) => other.quality - one.quality || one.place - other.place);
  const best = likes[0]?.language;
  return best === 'de' || best === 'en' ? best : undefined;
}

/** The cookies a browser sent. The first of two with the same name counts. */
export function cookiesOf(request: IncomingMessage): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  const header = request.headers.cookie ?? '';
  if (header.length > MAX_HEADER_LENGTH) return cookies;
  for (const part of header.split(';')) {
    const mark = part.indexOf('=');
    const name = part.slice(0, Math.max(mark, 0)).trim();
    if (name !== '' && !cookies.has(name)) cookies.set(name, part.slice(mark + 1).trim());
  }
  return cookies;
}
