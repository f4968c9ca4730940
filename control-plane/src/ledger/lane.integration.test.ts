import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type LedgerBench, ledgerBench } from '../testing/ledger-bench.ts';

let databases: TestDatabases;
let pool: pg.Pool;
let of: LedgerBench;

beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  pool = openPool({ url: await databases.clone(), onError: () => {} });
  of = await ledgerBench({ pool, registration: { monthlyBudgetNanoEur: '1000000' } });
});
afterEach(async () => {
  await pool.query('select ledger_assert_balanced()');
  await pool.end();
});

/** Transactions that wrote something, so far. */
const commits = async (): Promise<bigint> => {
  const { rows } = await pool.query<{ id: string }>('select pg_current_xact_id()::text as id');
  return BigInt(rows[0]?.id ?? 0);
};

test('operations of one tick share one transaction, and each gets its own answer', async () => {
  const ids = Array.from({ length: 100 }, () => randomUUID());
  const before = await commits();
  const outcomes = await Promise.all(ids.map((id, index) => of.authorise(BigInt(index), id)));
  // The lane's, and the one that counts.
  expect((await commits()) - before).toBe(2n);
  expect(outcomes.map((outcome) => outcome.outcome === 'granted' && outcome.holdNanoEur)).toEqual(
    ids.map((_, index) => BigInt(index)),
  );
});

test('what ends is booked before what begins, so the money of one call pays for the next of the same tick', async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  await of.authorise(1_000_000n, first);
  const [granted] = await Promise.all([of.authorise(600_000n, second), of.settle(first, 400_000n)]);
  expect(granted).toMatchObject({ outcome: 'granted' });
});

test('several operations on one request are made in their order', async () => {
  const id = randomUUID();
  const [granted, again, posted, voided] = await Promise.all([
    of.authorise(100n, id),
    of.authorise(100n, id),
    of.settle(id, 60n),
    of.ledger.void(of.account, id, 'client_gone'),
  ]);
  expect([granted.outcome, again.outcome, posted.outcome, voided]).toEqual(['granted', 'granted', 'posted', 'posted']);
});

test('an operation that the database cannot take fails alone', async () => {
  const zero = { user: { externalId: 'nul-\u0000' } };
  const outcomes = await Promise.allSettled([
    of.authorise(1n),
    of.authorise(2n, randomUUID(), '', zero),
    of.authorise(3n),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await of.ledger.budget(of.account)).toMatchObject({ heldNanoEur: 4n });
});

test('a database that is away fails them all, and none has half happened', async () => {
  const gone = openPool({ url: await databases.clone(), onError: () => {} });
  const other = await ledgerBench({ pool: gone, registration: { monthlyBudgetNanoEur: '1000' } });
  const url = gone.options.connectionString;
  await gone.query(`create function refuse_line() returns trigger language plpgsql as $$
    begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$`);
  await gone.query(
    'create trigger refuse_line before insert on ledger_entry for each row execute function refuse_line()',
  );
  const outcomes = await Promise.allSettled([other.authorise(1n), other.authorise(2n)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await gone.end();
  const after = openPool({ url: url ?? '', onError: () => {} });
  expect((await after.query('select held from balance')).rows).toEqual([{ held: 0n }]);
  expect((await after.query('select from hold')).rowCount).toBe(0);
  await after.end();
});
