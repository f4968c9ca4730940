import { expect, test } from 'vitest';
import { AddressRefused, parseWebhookUrl } from './outbound-request.ts';
import { isPublicAddress } from './public-address.ts';

test.each(['1.1.1.1', '93.184.216.34', '172.15.255.255', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
  '%s is public',
  (address) => expect(isPublicAddress(address)).toBe(true),
);

test.each([
  '127.0.0.1',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  'fe80::1',
  'fd00:ec2::254',
  'fc00::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001:db8::1',
  'fe80::1%eth0',
  'localhost',
  '',
])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));

test.each([
  ['http://hooks.example.org/', /https/],
  ['ftp://hooks.example.org/', /https/],
  ['file:///etc/passwd', /https/],
  ['not an address', /URL/],
  ['https://user:password@hooks.example.org/', /user or password/],
  ['https://127.0.0.1/', /private/],
  ['https://2130706433/', /private/],
  ['https://0x7f.1/', /private/],
  ['https://[::1]/', /private/],
  ['https://[::ffff:169.254.169.254]/', /private/],
  ['https://169.254.169.254/latest/meta-data/', /private/],
  [`https://hooks.example.org/${'x'.repeat(2048)}`, /2048/],
])('the address %s is refused', (url, why) => {
  expect(() => parseWebhookUrl(url, [])).toThrow(AddressRefused);
  expect(() => parseWebhookUrl(url, [])).toThrow(why);
});

test('a trusted host is trusted on its port alone', () => {
  const trusted = ['receiver:8080', '127.0.0.1:9000'];
  expect(parseWebhookUrl('http://receiver:8080/x', trusted).hostname).toBe('receiver');
  expect(parseWebhookUrl('http://127.0.0.1:9000/x', trusted).port).toBe('9000');
  expect(() => parseWebhookUrl('http://receiver:8081/x', trusted)).toThrow(AddressRefused);
  expect(() => parseWebhookUrl('https://127.0.0.1/', trusted)).toThrow(AddressRefused);
  expect(() => parseWebhookUrl('ftp://receiver:8080/x', trusted)).toThrow(AddressRefused);
});
