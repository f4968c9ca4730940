import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type LedgerBench, type LedgerBenchOptions, ledgerBench } from '../testing/ledger-bench.ts';

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

const bench = (registration: LedgerBenchOptions['registration']): Promise<LedgerBench> =>
  ledgerBench({ pool, now: () => now, registration: { monthlyBudgetNanoEur: '1000', ...registration } });

const ADA = { user: { externalId: 'ada' } };
const BOB = { user: { externalId: 'bob' } };

/** A request of a user through the chat. */
const ask = (of: LedgerBench, amount: bigint, who = ADA, id = randomUUID()) => of.authorise(amount, id, '', who);

const memberOf = async (externalId: string): Promise<string> => {
  const { rows } = await pool.query<{ id: string }>('select id from member where external_id = $1', [externalId]);
  return rows[0]?.id ?? '';
};

describe('a user with a budget', () => {
  test('is refused by it alone, and the refusal tells its figures; others go on', async () => {
    const of = await bench({ memberBudgetNanoEur: '300' });
    expect(await ask(of, 200n)).toMatchObject({ outcome: 'granted' });
    expect(await ask(of, 101n)).toMatchObject({
      outcome: 'refused',
      reason: 'busy',
      scope: 'user',
      grantedNanoEur: 300n,
      postedNanoEur: 0n,
      heldNanoEur: 200n,
    });
    expect(await ask(of, 301n)).toMatchObject({ reason: 'spent', scope: 'user' });
    expect(await ask(of, 300n, BOB)).toMatchObject({ outcome: 'granted' });
  });

  test('gets back what its holds did not use, as the tenant does', async () => {
    const of = await bench({ memberBudgetNanoEur: '300' });
    const [settled, voided] = [randomUUID(), randomUUID()];
    await ask(of, 200n, ADA, settled);
    await of.settle(settled, 50n);
    await ask(of, 250n, ADA, voided);
    await of.ledger.void(of.account, voided, 'upstream_failure');
    expect(await of.ledger.subBudget(of.account, 'user', await memberOf('ada'))).toMatchObject({
      budgetNanoEur: 300n,
      postedNanoEur: 50n,
      heldNanoEur: 0n,
    });
    expect(await ask(of, 251n)).toMatchObject({ reason: 'spent', scope: 'user' });
    expect(await ask(of, 250n)).toMatchObject({ outcome: 'granted' });
  });

  test('is told of the tenant first when both are spent, and of what is spent before what is busy', async () => {
    const of = await bench({ monthlyBudgetNanoEur: '400', memberBudgetNanoEur: '300' });
    await ask(of, 250n);
    expect(await ask(of, 500n)).toMatchObject({ reason: 'spent', scope: 'tenant' });
    expect(await ask(of, 301n)).toMatchObject({ reason: 'spent', scope: 'user' });
    expect(await ask(of, 200n)).toMatchObject({ reason: 'busy', scope: 'tenant' });
    expect(await ask(of, 60n)).toMatchObject({ reason: 'busy', scope: 'user' });
  });

  test('never exceeds it, however many ask at once', async () => {
    const of = await bench({ memberBudgetNanoEur: '300' });
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => ask(of, 30n)));
    expect(outcomes.filter(({ outcome }) => outcome === 'granted')).toHaveLength(10);
    expect(outcomes.filter((answer) => answer.outcome === 'refused' && answer.scope === 'user')).toHaveLength(50);
  });

  test('begins anew with the period; a hold of the old one counts where it was made', async () => {
    const of = await bench({ memberBudgetNanoEur: '300' });
    const id = randomUUID();
    now = new Date('2026-11-30T22:59:50Z');
    await ask(of, 300n, ADA, id);
    now = new Date('2026-11-30T23:00:01Z');
    expect(await ask(of, 300n)).toMatchObject({ outcome: 'granted' });
    await of.settle(id, 300n);
    const { rows } = await pool.query('select period, posted, held from sub_balance order by period');
    expect(rows).toEqual([
      { period: '2026-11', posted: 300n, held: 0n },
      { period: '2026-12', posted: 0n, held: 300n },
    ]);
  });

  test('whose limit falls below what was spent asks for nothing more, but for what is free', async () => {
    const of = await bench({});
    const id = randomUUID();
    await ask(of, 200n, ADA, id);
    await of.settle(id, 200n);
    await pool.query('update member set monthly_budget = 100');
    await of.ledger.refreshLimits(of.account);
    expect(await ask(of, 1n)).toMatchObject({
      reason: 'spent',
      scope: 'user',
      grantedNanoEur: 100n,
      postedNanoEur: 200n,
    });
    expect(await ask(of, 0n)).toMatchObject({ outcome: 'granted' });
    const { rows } = await pool.query('select wished, budget from sub_balance');
    expect(rows).toEqual([{ wished: 100n, budget: 200n }]);
    await pool.query('update member set monthly_budget = null');
    await of.ledger.refreshLimits(of.account);
    expect(await ask(of, 800n)).toMatchObject({ outcome: 'granted' });
  });

  test('takes a changed default of the tenant at once, unless it has a limit of its own', async () => {
    const of = await bench({ memberBudgetNanoEur: '300' });
    await ask(of, 10n);
    await ask(of, 10n, BOB);
    await pool.query(`update member set monthly_budget = 500 where external_id = 'bob'`);
    await of.register({ memberBudgetNanoEur: '100' });
    expect(await ask(of, 91n)).toMatchObject({ scope: 'user', grantedNanoEur: 100n });
    expect(await ask(of, 400n, BOB)).toMatchObject({ outcome: 'granted' });
  });
});

describe('a key with a budget', () => {
  test('and its owner with another: a request needs both', async () => {
    const of = await bench({ memberBudgetNanoEur: '500', keyBudgetNanoEur: '300' });
    await ask(of, 0n);
    const [one, two] = [await of.apiKey(await memberOf('ada')), await of.apiKey(await memberOf('ada'))];
    const use = (key: { keySha256: Buffer }, amount: bigint) => of.authorise(amount, randomUUID(), '', key);
    expect(await use(one, 301n)).toMatchObject({ scope: 'key', reason: 'spent', grantedNanoEur: 300n });
    expect(await use(one, 300n)).toMatchObject({ outcome: 'granted' });
    expect(await use(two, 250n)).toMatchObject({ scope: 'user', reason: 'busy', heldNanoEur: 300n });
    expect(await use(two, 200n)).toMatchObject({ outcome: 'granted' });
    expect(await of.ledger.subBudget(of.account, 'key', one.id)).toMatchObject({ heldNanoEur: 300n });
  });

  test('does not mean the chat’s own key: that would stop the chat for everybody', async () => {
    const of = await bench({ keyBudgetNanoEur: '10' });
    expect(await ask(of, 500n)).toMatchObject({ outcome: 'granted' });
  });
});

describe('a late settlement', () => {
  test('is billed from what its user has left, and the rest is an overrun', async () => {
    const of = await bench({ memberBudgetNanoEur: '100' });
    const id = randomUUID();
    await ask(of, 80n, ADA, id);
    now = new Date(now.getTime() + 120_000);
    await of.ledger.sweep(10);
    await ask(of, 70n);
    expect(await of.settle(id, 60n)).toMatchObject({ late: true, postedNanoEur: 30n, overrunNanoEur: 30n });
  });
});

describe('an answer that does not fit whole', () => {
  const clamp = { minOutputTokens: 10, minAmountNanoEur: 100n, stepOutputTokens: 16, stepNanoEur: 30n };
  const shorter = (of: LedgerBench, amount: bigint) => of.authorise(amount, randomUUID(), '', { ...ADA, clamp });

  test('is shortened to what does, by the tightest of its budgets', async () => {
    const of = await bench({ memberBudgetNanoEur: '200' });
    expect(await shorter(of, 150n)).toMatchObject({ holdNanoEur: 150n, maxOutputTokens: 1 });
    const other = await bench({ memberBudgetNanoEur: '200' });
    // 100, and three steps of 30 that fit into the other 100.
    expect(await shorter(other, 5000n)).toMatchObject({ holdNanoEur: 190n, maxOutputTokens: 10 + 3 * 16 });
  });

  test('is refused when not even the least of it fits, and the refusal is about that least', async () => {
    const of = await bench({ memberBudgetNanoEur: '99' });
    expect(await shorter(of, 5000n)).toMatchObject({ reason: 'spent', scope: 'user', askedNanoEur: 100n });
  });
});

describe('seats', () => {
  test('are taken by the chat’s newcomers in turn, one by one, however many come at once', async () => {
    const of = await bench({ maxMembers: 3 });
    const newcomers = Array.from({ length: 10 }, (_, index) => ({ user: { externalId: `user-${index}` } }));
    const outcomes = await Promise.all(newcomers.map((who) => ask(of, 1n, who)));
    expect(outcomes.filter(({ outcome }) => outcome === 'granted')).toHaveLength(3);
    expect(outcomes.filter(({ outcome }) => outcome === 'seats_taken')).toHaveLength(7);
    expect(await ask(of, 1n, { user: { externalId: 'user-0' } })).toMatchObject({ outcome: 'granted' });
    await of.register({ maxMembers: 4 });
    expect(await ask(of, 1n, { user: { externalId: 'user-9' } })).toMatchObject({ outcome: 'granted' });
  });
});

test('the database itself refuses a user’s balance beyond its budget', async () => {
  const of = await bench({ memberBudgetNanoEur: '300' });
  await ask(of, 200n);
  await expect(pool.query('update sub_balance set held = 301')).rejects.toMatchObject({
    constraint: 'never_overspent',
  });
});

test('the replay finds a user’s balance that was changed behind the ledger’s back', async () => {
  const of = await bench({});
  await ask(of, 200n);
  await pool.query('update sub_balance set held = held - 1');
  await expect(pool.query('select ledger_assert_balanced()')).rejects.toThrow(
    /user .* has not the balance its lines say/,
  );
  await pool.query('update sub_balance set held = held + 1');
});
