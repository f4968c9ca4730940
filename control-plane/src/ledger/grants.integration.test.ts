import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type LedgerBench, ledgerBench } from '../testing/ledger-bench.ts';
import type { GrantOptions } from './ledger.ts';
import { payloadHash } from './payload-hash.ts';

let databases: TestDatabases;
let pool: pg.Pool;
let now: Date;

beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  pool = openPool({ url: await databases.clone(), onError: () => {} });
  now = new Date('2026-11-20T10:00:00Z');
});
afterEach(async () => {
  await pool.query('select ledger_assert_balanced()');
  await pool.end();
});

const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(now.getTime() + days * DAY_MS);
const bench = (monthlyBudgetNanoEur = '0', holdTtlMs = 60_000): Promise<LedgerBench> =>
  ledgerBench({ pool, now: () => now, holdTtlMs, registration: { monthlyBudgetNanoEur } });

const grant = async (of: LedgerBench, source: string, amount: bigint, options: GrantOptions = {}): Promise<bigint> => {
  const key = randomUUID();
  const outcome = await of.ledger.addGrant(of.account, key, payloadHash(key), source, amount, null, options);
  if (outcome.outcome !== 'created') throw new Error(`the grant was ${outcome.outcome}`);
  return outcome.grant.sequence;
};
const spend = async (of: LedgerBench, amount: bigint): Promise<bigint> => {
  const id = randomUUID();
  expect(await of.authorise(amount, id)).toMatchObject({ outcome: 'granted' });
  expect(await of.settle(id, amount)).toMatchObject({ postedNanoEur: amount });
  const { rows } = await pool.query<{ sequence: bigint }>(
    `select sequence from ledger_entry where request_id = $1 and kind = 'post'`,
    [id],
  );
  return rows[0]?.sequence ?? 0n;
};
const remaining = async (): Promise<string[]> => {
  const { rows } = await pool.query<{ source: string; remaining: bigint }>(
    'select source, remaining from lot order by id',
  );
  return rows.map((lot) => `${lot.source} ${lot.remaining}`);
};
const lines = async (of: LedgerBench, last: number): Promise<string[]> => {
  const { rows } = await pool.query<{ kind: string; amount: bigint; reason: string | null; drawn: bigint[] | null }>(
    `select kind, amount, reason, drawn::text[] as drawn from ledger_entry where account_id = $1 order by sequence`,
    [of.account],
  );
  return rows.slice(-last).map((line) => `${line.kind} ${line.amount} ${line.reason ?? '-'} ${line.drawn ?? ''}`);
};

describe('money is spent', () => {
  test('plan first, then promotions, then top-ups, and each line says from where', async () => {
    const of = await bench('100');
    await grant(of, 'top_up', 100n);
    await grant(of, 'promotion', 100n);
    await spend(of, 250n);
    expect(await remaining()).toEqual(['plan 0', 'top_up 50', 'promotion 0']);
    expect(await lines(of, 1)).toEqual(['post 250 - 100,100,50']);
  });

  test('what expires sooner first, among equals; a stated priority before all that', async () => {
    const of = await bench();
    await grant(of, 'top_up', 100n);
    await grant(of, 'top_up', 100n, { expiresAt: inDays(20) });
    await grant(of, 'top_up', 100n, { expiresAt: inDays(10) });
    await grant(of, 'top_up', 100n, { priority: 5 });
    await spend(of, 250n);
    expect(await remaining()).toEqual(['top_up 100', 'top_up 50', 'top_up 0', 'top_up 0']);
  });
});

describe('a grant that expires', () => {
  test('lapses when it does, without any job; the rest stays', async () => {
    const of = await bench();
    await grant(of, 'promotion', 100n, { expiresAt: inDays(3) });
    await grant(of, 'top_up', 50n);
    await spend(of, 30n);
    now = inDays(3);
    expect(await of.ledger.budget(of.account)).toMatchObject({ availableNanoEur: 50n, postedNanoEur: 30n });
    expect(await lines(of, 1)).toEqual(['lapse 70 expired 70']);
    expect(await of.authorise(51n)).toMatchObject({ outcome: 'refused', reason: 'spent' });
  });

  test('still pays for holds made before, and lapses as they end; it never pays for new ones', async () => {
    const of = await bench('0', 10 * DAY_MS);
    await grant(of, 'promotion', 100n, { expiresAt: inDays(1) });
    await grant(of, 'top_up', 50n);
    const [settled, voided] = [randomUUID(), randomUUID()];
    await of.authorise(60n, settled);
    await of.authorise(30n, voided);
    now = inDays(1);
    expect(await of.ledger.budget(of.account)).toMatchObject({ heldNanoEur: 90n, availableNanoEur: 50n });
    expect(await of.authorise(51n)).toMatchObject({ outcome: 'refused' });
    await of.settle(settled, 20n);
    expect(await remaining()).toEqual(['promotion 30', 'top_up 50']);
    await of.ledger.void(of.account, voided, 'client_gone');
    expect(await remaining()).toEqual(['promotion 0', 'top_up 50']);
    expect(await of.ledger.budget(of.account)).toMatchObject({ heldNanoEur: 0n, availableNanoEur: 50n });
  });

  test('two of them after one another: each hold keeps the money it may still use', async () => {
    const of = await bench('0', 10 * DAY_MS);
    await grant(of, 'promotion', 100n, { expiresAt: inDays(1) });
    await grant(of, 'promotion', 100n, { expiresAt: inDays(2) });
    const [early, later] = [randomUUID(), randomUUID()];
    await of.authorise(80n, early);
    now = inDays(1);
    await of.authorise(90n, later);
    now = inDays(1);
    // The first lot keeps 80 for the early hold; the second is 90 of the later one and 10 free, until it expires too.
    expect(await of.ledger.budget(of.account)).toMatchObject({ heldNanoEur: 170n, availableNanoEur: 0n });
    expect(await remaining()).toEqual(['promotion 80', 'promotion 90']);
    await of.settle(later, 90n);
    await of.settle(early, 80n);
    expect(await remaining()).toEqual(['promotion 0', 'promotion 0']);
  });

  test('already when it comes is refused, and nothing is written', async () => {
    const of = await bench();
    const late = (key: string) =>
      of.ledger.addGrant(of.account, key, payloadHash(key), 'top_up', 100n, null, { expiresAt: inDays(0) });
    expect(await late('late')).toEqual({ outcome: 'expired' });
    expect(await lines(of, 1)).toEqual([]);
  });

  test('is looked at by the sweep, when nobody calls', async () => {
    const of = await bench();
    await grant(of, 'promotion', 100n, { expiresAt: inDays(1) });
    now = inDays(2);
    await of.ledger.sweep(10);
    expect(await lines(of, 1)).toEqual(['lapse 100 expired 100']);
  });
});

describe('a reversal', () => {
  const reverse = (of: LedgerBench, sequence: bigint, amount: bigint | null = null, key: string = randomUUID()) =>
    of.ledger.reverse(of.account, key, payloadHash({ key, amount: `${amount}` }), sequence, amount, 'mistake');

  test('of a posting gives the money back to the lots it came from, the last first, and never more than was posted', async () => {
    const of = await bench('100');
    await grant(of, 'top_up', 100n);
    const post = await spend(of, 150n);
    expect(await reverse(of, post, 70n)).toMatchObject({ outcome: 'created', reversal: { amountNanoEur: 70n } });
    expect(await remaining()).toEqual(['plan 20', 'top_up 100']);
    expect(await reverse(of, post, 81n)).toEqual({ outcome: 'exceeds', takeableNanoEur: 80n });
    expect(await reverse(of, post)).toMatchObject({ reversal: { amountNanoEur: 80n } });
    expect(await of.ledger.budget(of.account)).toMatchObject({ postedNanoEur: 0n, availableNanoEur: 200n });
    expect(await lines(of, 2)).toEqual(['refund 70 mistake -50,-20', 'refund 80 mistake -80']);
  });

  test('sent twice with one key is made once', async () => {
    const of = await bench('100');
    const post = await spend(of, 50n);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => reverse(of, post, 20n, 'once')));
    expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'replayed')).toHaveLength(9);
    expect(await of.ledger.reverse(of.account, 'once', payloadHash('else'), post, 1n, null)).toEqual({
      outcome: 'conflict',
    });
  });

  test('of a posting whose lot has expired gives nothing to spend, as if it had never been billed', async () => {
    const of = await bench('100');
    const post = await spend(of, 60n);
    now = new Date('2026-12-02T10:00:00Z');
    await reverse(of, post);
    expect(await of.ledger.budget(of.account)).toMatchObject({ postedNanoEur: 0n, availableNanoEur: 100n });
    expect(await lines(of, 2)).toEqual(['refund 60 mistake -60', 'lapse 60 period_ended 60']);
  });

  test('of a posting from a lot that was used up revives the lot, and its expiry', async () => {
    const of = await bench();
    await grant(of, 'promotion', 100n, { expiresAt: inDays(2) });
    const post = await spend(of, 100n);
    now = inDays(1);
    await grant(of, 'promotion', 1n, { expiresAt: inDays(0.5) });
    now = inDays(0.5);
    await of.ledger.budget(of.account);
    await reverse(of, post);
    now = inDays(0.5);
    expect(await of.ledger.budget(of.account)).toMatchObject({ availableNanoEur: 0n });
  });

  test('of a posting counts for its user, too', async () => {
    const of = await bench('100');
    const id = randomUUID();
    await of.authorise(60n, id, '', { user: { externalId: 'ada' } });
    await of.settle(id, 60n);
    await reverse(of, 3n);
    const { rows } = await pool.query('select posted from sub_balance');
    expect(rows).toEqual([{ posted: 0n }]);
  });

  test('of a grant takes what is left of it, neither posted nor held', async () => {
    const of = await bench();
    const payment = await grant(of, 'top_up', 100n);
    await spend(of, 30n);
    await of.authorise(20n);
    expect(await reverse(of, payment, 51n)).toEqual({ outcome: 'exceeds', takeableNanoEur: 50n });
    expect(await reverse(of, payment)).toMatchObject({ outcome: 'created', reversal: { amountNanoEur: 50n } });
    expect(await of.ledger.budget(of.account)).toMatchObject({ availableNanoEur: 0n });
  });

  test('of anything else is refused', async () => {
    const of = await bench('100');
    await of.authorise(10n);
    expect(await reverse(of, 1n)).toEqual({ outcome: 'not_reversible' });
    expect(await reverse(of, 2n)).toEqual({ outcome: 'not_reversible' });
    expect(await reverse(of, 99n)).toEqual({ outcome: 'unknown' });
  });
});

test('the replay finds money that moved between lots behind the ledger’s back', async () => {
  const of = await bench();
  await grant(of, 'top_up', 100n);
  await grant(of, 'promotion', 100n);
  await pool.query(`update lot set remaining = remaining - 10 where source = 'top_up'`);
  await expect(pool.query('select ledger_assert_balanced()')).rejects.toThrow(/lot/);
  await pool.query(`update lot set remaining = remaining + 10 where source = 'top_up'`);
});
