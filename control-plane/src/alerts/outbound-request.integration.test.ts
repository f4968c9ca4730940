import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HookReceiver, startHookReceiver } from '../testing/receivers.ts';
import { AddressRefused, postOutbound } from './outbound-request.ts';

let receiver: HookReceiver;
beforeAll(async () => {
  receiver = await startHookReceiver();
});
beforeEach(() => {
  receiver.hooks.length = 0;
});
afterAll(() => receiver.close());

const signal = new AbortController().signal;
const port = () => receiver.host.split(':')[1];

test('reaches a trusted host, and gives back the status of its answer', async () => {
  receiver.answers.push(204);
  const status = await postOutbound(`${receiver.url}/in?x=1`, { 'x-test': 'yes' }, 'grüße', {
    trustedHosts: [receiver.host],
    signal,
  });
  expect(status).toBe(204);
  expect(receiver.hooks).toMatchObject([{ path: '/in?x=1', headers: { 'x-test': 'yes' }, body: 'grüße' }]);
});

test('follows no redirect', async () => {
  receiver.answers.push(302);
  expect(await postOutbound(receiver.url, {}, '', { trustedHosts: [receiver.host], signal })).toBe(302);
  expect(receiver.hooks.length).toBe(1);
});

test('does not connect when a name leads into a private network, even if only one of its addresses does', async () => {
  const url = `https://hooks.example.test:${port()}/`;
  const resolve = async () => [
    { address: '1.1.1.1', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  await expect(postOutbound(url, {}, '', { trustedHosts: [], signal, resolve })).rejects.toThrow(AddressRefused);
  const localhost = `https://localhost:${port()}/`;
  await expect(postOutbound(localhost, {}, '', { trustedHosts: [], signal })).rejects.toThrow(/private network/);
  expect(receiver.hooks.length).toBe(0);
});

test('connects to the very address that was judged: the name is asked once', async () => {
  let asked = 0;
  const resolve = async () => {
    asked += 1;
    return asked === 1 ? [{ address: '127.0.0.1', family: 4 }] : [{ address: '127.0.0.2', family: 4 }];
  };
  const host = `rebinding.example.test:${port()}`;
  expect(await postOutbound(`http://${host}/pinned`, {}, 'x', { trustedHosts: [host], signal, resolve })).toBe(200);
  expect(asked).toBe(1);
  expect(receiver.hooks).toMatchObject([{ path: '/pinned', headers: { host } }]);
});

test('gives up on a receiver that never answers, and on a name service that never does', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const options = { trustedHosts: [host], signal, timeoutMs: 200 };
  await expect(postOutbound(`http://${host}/`, {}, '', options)).rejects.toThrow();
  const resolve = () => new Promise<never>(() => {});
  await expect(postOutbound('https://slow.example.test/', {}, '', { ...options, resolve })).rejects.toThrow();
  silent.close();
});
