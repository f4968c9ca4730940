import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../process/until.ts';
import { ask, errorOf, type FakeDirective, question, type Seen } from './client.ts';
import { type Rig, startRig } from './rig.ts';

const USED: FakeDirective = { promptTokens: 50, completionTokens: 20 };
/** Milliseconds within which a dead gateway's lease has ended and another has found what it left. */
const RESCUE_TIMEOUT_MS = 90_000;

let rig: Rig;
let mark: number;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());
beforeEach(async () => {
  rig.gate.set('open');
  mark = await rig.accounts.mark();
  rig.upstream.log.clear();
});

const url = () => rig.gateways[0]?.url ?? '';
const chat = (directive = USED, stream = false): Promise<Seen> =>
  ask(
    url(),
    '/v1/chat/completions',
    { model: 'gpt-4o-mini', stream, messages: question(directive) },
    { key: rig.apiKey },
  );

/** Waits until `count` calls have arrived at the provider and none of them is answered. */
const running = (count: number) =>
  until(`${count} running calls`, () => rig.upstream.log.entries.length === count || undefined, { timeoutMs: 20_000 });

/** What still lies in the tenant's outbox: `intents` of running calls, `results` not acknowledged, `dead` letters. */
const outbox = async () => {
  const keys = await rig.redis.ask('KEYS', 'cloudfreedom:outbox:*');
  const found = new Set(keys.includes('cloudfreedom:outbox:dead') ? ['dead'] : []);
  for (const [key] of keys.matchAll(/cloudfreedom:outbox:messages:\S+/g)) {
    for (const [, path] of (await rig.redis.ask('HVALS', key)).matchAll(/"path":"(\w+)","body":\{/g)) {
      found.add(path === 'settle' ? 'results' : 'intents');
    }
  }
  return [...found];
};
const outboxEmpty = () =>
  until('the outbox to be empty', async () => ((await outbox()).length === 0 ? true : undefined), {
    timeoutMs: 30_000,
  });

describe('the control plane is away', () => {
  it('when a call is to be authorised: the call is not made, and the user reads why', async () => {
    await chat(); // its key is known from now on
    await rig.accounts.endings(mark);
    rig.gate.set('refuse');
    rig.upstream.log.clear();
    for (const stream of [false, true]) {
      const seen = await chat(USED, stream);
      expect(seen.status).toBe(503);
      expect(Number(seen.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(errorOf(seen)).toMatchObject({ code: 'budget_unavailable', message: expect.stringContaining('budget') });
    }
    expect(rig.upstream.log.entries).toEqual([]);
    rig.gate.set('open');
    expect((await chat()).status).toBe(200);
    await outboxEmpty();
    expect((await rig.accounts.endings(mark, { atLeast: 2 })).map(({ kind }) => kind)).toEqual(['post', 'post']);
  });

  it('when a key is to be identified: nobody unknown gets in', async () => {
    rig.gate.set('refuse');
    const body = { model: 'gpt-4o-mini', messages: question(USED) };
    const seen = await ask(url(), '/v1/chat/completions', body, {
      key: 'cf-never-seen-before-never-seen-before-never',
    });
    expect(seen.status).toBe(503);
    expect(rig.upstream.log.entries).toEqual([]);
  });

  it('after the authorisation was asked, its answer lost: the hold is given back', async () => {
    rig.gate.set('deaf');
    expect((await chat()).status).toBe(503);
    expect(rig.upstream.log.entries).toEqual([]);
    rig.gate.set('open');
    expect(await rig.accounts.endings(mark)).toMatchObject([{ kind: 'void', reason: 'authorise_unknown' }]);
    await outboxEmpty();
  });

  it('when calls end: running streams go on, and are billed when it is back', async () => {
    const calls = [1, 2, 3].map((n) => chat({ ...USED, chunks: 10, chunkDelayMs: 150, delayMs: n * 50 }, true));
    await running(3);
    rig.gate.set('refuse');
    for (const seen of await Promise.all(calls)) expect(seen.text).toContain('[DONE]');
    await until('results in the outbox', async () => (await outbox()).includes('results') || undefined, {
      timeoutMs: 20_000,
    });
    expect((await rig.accounts.budget()).held).toBeGreaterThan(0n);
    rig.gate.set('open');
    const endings = await rig.accounts.endings(mark, { atLeast: 3 });
    expect(endings.map(({ kind }) => kind)).toEqual(['post', 'post', 'post']);
    await outboxEmpty();
  });

  it('answers late: what was billed is billed once', async () => {
    const call = chat({ ...USED, delayMs: 800 });
    await running(1);
    rig.gate.set('deaf'); // settlements arrive, their acknowledgement does not
    expect((await call).status).toBe(200);
    await rig.accounts.endings(mark);
    rig.gate.set('open');
    await outboxEmpty();
    expect((await rig.accounts.since(mark)).filter(({ kind }) => kind === 'post')).toHaveLength(1);
  });
});

describe('the tenant’s Redis', () => {
  it('is away: nothing new is called, and no hold stays', async () => {
    await rig.redis.stop();
    const seen = await chat();
    expect(seen.status).toBe(503);
    expect(rig.upstream.log.entries).toEqual([]);
    await rig.redis.start();
    await until('calls to be served again', async () => ((await chat()).status === 200 ? true : undefined), {
      timeoutMs: 30_000,
    });
    const endings = await rig.accounts.endings(mark, { atLeast: 2 });
    expect(endings.filter(({ kind }) => kind === 'void').length).toBeGreaterThan(0);
  });

  it('restarts while calls run: each is billed once', async () => {
    const calls = [1, 2, 3].map(() => chat({ ...USED, delayMs: 2_500 }));
    await running(3);
    await rig.redis.stop('SIGKILL');
    await rig.redis.start();
    for (const seen of await Promise.all(calls)) expect(seen.status).toBe(200);
    const endings = await rig.accounts.endings(mark, { atLeast: 3 });
    expect(endings.map(({ kind }) => kind)).toEqual(['post', 'post', 'post']);
    await outboxEmpty();
  });

  it('is flushed while calls run and with results it has not delivered: each account comes out exact', async () => {
    const before = await rig.accounts.budget();
    const quick = [1, 2].map(() => chat({ ...USED, delayMs: 1_000 }));
    const slow = [1, 2].map(() => chat({ ...USED, delayMs: 3_000 }));
    await running(4);
    rig.gate.set('refuse');
    for (const seen of await Promise.all(quick)) expect(seen.status).toBe(200);
    const stored = async () => (await outbox()).includes('results');
    await until('results in the outbox', async () => (await stored()) || undefined, { timeoutMs: 20_000 });
    await rig.redis.ask('FLUSHALL');
    for (const seen of await Promise.all(slow)) expect(seen.status).toBe(200);
    rig.gate.set('open');
    const endings = await rig.accounts.endings(mark, { atLeast: 4 });
    expect(endings.map(({ kind }) => kind)).toEqual(['post', 'post', 'post', 'post']);
    const ended = new Set(endings.map(({ requestId }) => requestId));
    const lines = (await rig.accounts.usage()).filter(({ requestId }) => ended.has(requestId));
    const billed = lines.reduce((sum, { totalNanoEur }) => sum + BigInt(totalNanoEur), 0n);
    expect((await rig.accounts.budget()).available).toBe(before.available - billed);
    await outboxEmpty();
  });

  it('is away when calls end: each is billed all the same', async () => {
    const calls = [1, 2, 3].map(() => chat({ ...USED, delayMs: 1_500 }));
    await running(3);
    await rig.redis.stop();
    for (const seen of await Promise.all(calls)) expect(seen.status).toBe(200);
    const endings = await rig.accounts.endings(mark, { atLeast: 3 });
    expect(endings.map(({ kind }) => kind)).toEqual(['post', 'post', 'post']);
    await rig.redis.start();
    await outboxEmpty();
  });
});

describe('a gateway', () => {
  it('that is terminated finishes what runs and settles it', async () => {
    const calls = [false, true].map((stream) => chat({ ...USED, chunks: 10, chunkDelayMs: 200, delayMs: 500 }, stream));
    await running(2);
    const [gateway] = rig.gateways.splice(0, 1);
    const ended = gateway?.process.stop('SIGTERM');
    for (const seen of await Promise.all(calls)) expect(seen.status).toBe(200);
    await ended;
    await rig.addGateway();
    const endings = await rig.accounts.endings(mark, { atLeast: 2, timeoutMs: RESCUE_TIMEOUT_MS });
    expect(endings.map(({ kind }) => kind)).toEqual(['post', 'post']);
    await outboxEmpty();
  });

  it('that is killed in the middle of calls loses none: its successor gives the holds back', async () => {
    const calls = [1, 2, 3].map(() => chat({ ...USED, delayMs: 3_000 }));
    await running(3);
    const [gateway] = rig.gateways.splice(0, 1);
    await gateway?.process.stop('SIGKILL');
    await Promise.all(calls);
    expect((await rig.accounts.budget()).held).toBeGreaterThan(0n);
    await rig.addGateway();
    const endings = await rig.accounts.endings(mark, { atLeast: 3, timeoutMs: RESCUE_TIMEOUT_MS });
    const lost = { kind: 'void', reason: 'gateway_lost' };
    expect(endings).toMatchObject([lost, lost, lost]);
    await outboxEmpty();
  });

  it('that is killed with results it could not deliver loses none: its successor delivers them', async () => {
    const calls = [1, 2, 3].map(() => chat({ ...USED, delayMs: 1_000 }));
    await running(3);
    rig.gate.set('refuse');
    for (const seen of await Promise.all(calls)) expect(seen.status).toBe(200);
    // every result has taken its intent's place
    const stored = async () => (await outbox()).join() === 'results';
    await until('all results in the outbox', async () => (await stored()) || undefined, { timeoutMs: 20_000 });
    const [gateway] = rig.gateways.splice(0, 1);
    await gateway?.process.stop('SIGKILL');
    rig.gate.set('open');
    await rig.addGateway();
    const endings = await rig.accounts.endings(mark, { atLeast: 3, timeoutMs: RESCUE_TIMEOUT_MS });
    expect(endings.map(({ kind }) => kind)).toEqual(['post', 'post', 'post']);
    await outboxEmpty();
  });
});
