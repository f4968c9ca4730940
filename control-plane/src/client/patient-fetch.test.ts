import { describe, expect, test } from 'vitest';
import { patientFetch } from './patient-fetch.ts';

const ADDRESS = 'https://api.example.test/v1/x';
const BUSY = () => new Response('', { status: 503 });
const UNDER_WAY = () => Response.json({ code: 'idempotency_in_progress' }, { status: 409 });
const TAKEN = () => Response.json({ code: 'name_taken' }, { status: 409 });
const DONE = () => new Response('done');
const BROKEN = () => {
  throw new TypeError('fetch failed');
};

/** A fetch that gives these answers in turn, and keeps what it was asked. */
function scripted(...answers: (() => Response)[]) {
  const bodies: string[] = [];
  const fetch = patientFetch({
    firstWaitMs: 1,
    fetch: async (input) => {
      bodies.push(await (input as Request).text());
      return (answers[bodies.length - 1] ?? DONE)();
    },
  });
  return { fetch, bodies };
}

describe('what has one effect however often it is sent is sent again', () => {
  test.each([
    ['after a broken connection', BROKEN],
    ['when the server is not available', BUSY],
    ['when a proxy has lost it', () => new Response('', { status: 502 })],
    ['while the first try is under way', UNDER_WAY],
    ['when there were too many', () => new Response('', { status: 429, headers: { 'retry-after': '0' } })],
  ])('%s', async (_when, answer) => {
    const { fetch, bodies } = scripted(answer, answer);
    const init = { method: 'POST', body: '{"a":1}', headers: { 'idempotency-key': 'wish-1' } };
    expect(await (await fetch(ADDRESS, init)).text()).toBe('done');
    expect(bodies).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
  });

  test.each(['GET', 'PUT', 'DELETE'])('%s needs no key for it', async (method) => {
    const { fetch, bodies } = scripted(BROKEN);
    expect((await fetch(ADDRESS, { method })).status).toBe(200);
    expect(bodies).toHaveLength(2);
  });
});

test.each(['POST', 'PATCH'])('a %s without a key is sent once, whatever comes of it', async (method) => {
  const { fetch, bodies } = scripted(BUSY);
  expect((await fetch(ADDRESS, { method, body: 'x' })).status).toBe(503);
  expect(bodies).toHaveLength(1);
});

test('another conflict is an answer', async () => {
  const { fetch } = scripted(TAKEN);
  expect((await fetch(ADDRESS, { method: 'PUT' })).status).toBe(409);
});

test('patience ends: the seventh answer is the answer, the seventh failure is thrown', async () => {
  const refused = scripted(...Array(7).fill(BUSY));
  expect((await refused.fetch(ADDRESS)).status).toBe(503);
  expect(refused.bodies).toHaveLength(7);
  const broken = scripted(...Array(7).fill(BROKEN));
  await expect(broken.fetch(ADDRESS)).rejects.toThrow('fetch failed');
});

test('an aborted request is not repeated', async () => {
  const abort = new AbortController();
  const { fetch, bodies } = scripted(() => {
    abort.abort();
    return BUSY();
  });
  await expect(fetch(ADDRESS, { signal: abort.signal })).rejects.toThrow();
  expect(bodies).toHaveLength(1);
});
