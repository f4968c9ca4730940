import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { clientOf, cookiesOf, trustedProxies } from './client.ts';

const proxies = trustedProxies(['10.0.0.0/8', 'fd00::/8']);
const request = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;
const addressOf = (remoteAddress: string, forwarded?: string) =>
  clientOf(request(remoteAddress, forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }), proxies).address;

test.each([
  ['nobody forwards', '203.0.113.7', undefined, '203.0.113.7'],
  ['a stranger claims an address', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
  ['a trusted proxy says who called', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['what the client itself wrote is to the left', '10.1.2.3', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
  ['two proxies in a row', '10.1.2.3', '198.51.100.1, 10.9.9.9', '198.51.100.1'],
  ['the proxy says nonsense', '10.1.2.3', 'unknown', '10.1.2.3'],
  ['IPv4 within IPv6', '::ffff:10.1.2.3', '2001:db8::1', '2001:db8::1'],
])('%s', (_name, remote, forwarded, wanted) => {
  expect(addressOf(remote, forwarded)).toBe(wanted);
});

test.each([
  ['de-AT,de;q=0.9,en;q=0.8', 'de'],
  ['fr, en;q=0.5, de;q=0.4', 'en'],
  ['en;q=0, de;q=0.1', 'de'],
  ['fr', undefined],
  ['', undefined],
])('the language of "%s" is %s', (accepted, wanted) => {
  expect(clientOf(request('203.0.113.7', { 'accept-language': accepted }), proxies).language).toBe(wanted);
});

test('the first of two cookies of one name counts', () => {
  const cookies = cookiesOf(request('203.0.113.7', { cookie: 'a=1; b=x=y ;a=2; =z' }));
  expect([...cookies]).toEqual([
    ['a', '1'],
    ['b', 'x=y'],
  ]);
});

test('a network that is none is said so', () => {
  expect(() => trustedProxies(['10.0.0.0'])).toThrow('10.0.0.0 is no network');
});
