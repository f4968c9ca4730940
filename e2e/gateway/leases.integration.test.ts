import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../process/until.ts';
import { ask, errorOf, type FakeDirective, question, type Seen } from './client.ts';
import { type Rig, startRig } from './rig.ts';

const USED: FakeDirective = { promptTokens: 50, completionTokens: 20 };
const LEASE = 1_000_000n;
/** Milliseconds within which a dead gateway's heartbeat has ended and another has found what it left. */
const RESCUE_TIMEOUT_MS = 90_000;
/** Milliseconds of the pause after a lease was given back, and of the next renewal. */
const RENEWAL_TIMEOUT_MS = 90_000;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ lease: { amountNanoEur: LEASE.toString(), seconds: 300 } });
});
afterAll(() => rig?.close());

const user = (id: string) => ({ 'x-openwebui-user-id': id, 'x-openwebui-user-email': `${id}@example.test` });
const chat = ({ maxTokens = 100, stream = false, key = rig.apiKey, headers = {} } = {}): Promise<Seen> => {
  const body = { model: 'gpt-4o-mini', stream, max_tokens: maxTokens, messages: question(USED, 'a question') };
  return ask(rig.gateways[0]?.url ?? '', '/v1/chat/completions', body, { key, headers });
};
const leased = async () => (await rig.accounts.budget()).leased;
const leaseHeld = () =>
  until('a lease to be held', async () => ((await leased()) === LEASE ? true : undefined), {
    timeoutMs: RENEWAL_TIMEOUT_MS,
  });
/** Results in the tenant's outbox. */
const results = async () => {
  const keys = (await rig.redis.ask('KEYS', 'cloudfreedom:outbox:messages:*')).match(/cloudfreedom:\S+/g) ?? [];
  const messages = await Promise.all(keys.map((key) => rig.redis.ask('HVALS', key)));
  return messages.join('').match(/"path":"settle"/g)?.length ?? 0;
};
const posted = async (mark: number) => (await rig.accounts.since(mark)).filter(({ kind }) => kind === 'post');
const sum = (lines: readonly { amountNanoEur?: string }[]) =>
  lines.reduce((total, { amountNanoEur }) => total + BigInt(amountNanoEur ?? '0'), 0n);

describe('while the control plane is away, a gateway with a lease', () => {
  it('goes on serving those it knows, as far as the lease goes, and all is exact when it is back', async () => {
    const start = await rig.accounts.mark();
    expect((await chat()).status).toBe(200);
    expect((await chat({ key: rig.chatKey, headers: user('ada') })).status).toBe(200);
    await rig.accounts.endings(start, { atLeast: 2 });
    await leaseHeld();
    const mark = await rig.accounts.mark();
    const before = await rig.accounts.budget();
    rig.gate.set('refuse');
    rig.upstream.log.clear();
    const served = [
      chat(),
      chat({ stream: true }),
      chat({ key: rig.chatKey, headers: user('ada') }),
      chat({ key: rig.chatKey, headers: user('ada'), stream: true }),
    ];
    for (const seen of await Promise.all(served)) expect(seen.status).toBe(200);
    for (const refused of [
      await chat({ maxTokens: 4_000 }), // more than the lease has
      await chat({ key: rig.chatKey, headers: user('bob') }), // nobody knows whether he has a seat
      await chat({ key: 'cf-never-seen-before-never-seen-before-never' }),
    ]) {
      expect(refused.status).toBe(503);
      expect(errorOf(refused)).toMatchObject({ code: 'budget_unavailable' });
    }
    expect(rig.upstream.log.entries).toHaveLength(served.length);
    rig.gate.set('open');
    await until('all to be billed', async () => ((await posted(mark)).length === served.length ? true : undefined), {
      timeoutMs: 30_000,
    });
    const billed = sum(await posted(mark));
    const after = await rig.accounts.budget();
    expect(after.posted - before.posted).toBe(billed);
    expect(after.leased).toBe(LEASE - billed);
    expect(after.available).toBe(before.available);
    const lines = (await rig.accounts.usage()).slice(-served.length);
    expect(lines.map(({ overrunNanoEur }) => overrunNanoEur)).toEqual(served.map(() => '0'));
  });

  it('that is killed with results it could not deliver: its successor bills them and gives the rest back', async () => {
    const mark = await rig.accounts.mark();
    rig.gate.set('refuse');
    for (const seen of await Promise.all([chat(), chat()])) expect(seen.status).toBe(200);
    await until('both results in the outbox', async () => ((await results()) === 2 ? true : undefined), {
      timeoutMs: 20_000,
    });
    const [gateway] = rig.gateways.splice(0, 1);
    await gateway?.process.stop('SIGKILL');
    rig.gate.set('open');
    await rig.addGateway();
    await until('the lease to be given back', async () => ((await leased()) === 0n ? true : undefined), {
      timeoutMs: RESCUE_TIMEOUT_MS,
    });
    const lines = await rig.accounts.since(mark);
    expect(lines.map(({ kind }) => kind)).toEqual(['draw', 'hold', 'post', 'draw', 'hold', 'post', 'void']);
  });
});

it('a request that does not fit beside the lease has it given back, and fits', async () => {
  const start = await rig.accounts.mark();
  await chat();
  const { holdNanoEur } = await rig.accounts.onlyPosting(start);
  await leaseHeld();
  await rig.accounts.makeAvailable(BigInt(holdNanoEur) - 1n);
  const mark = await rig.accounts.mark();
  expect((await chat()).status).toBe(200);
  await rig.accounts.endings(mark);
  const lines = await rig.accounts.since(mark);
  expect(lines.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual([
    'refuse busy',
    'void lease_returned',
    'hold undefined',
    'post undefined',
  ]);
});
