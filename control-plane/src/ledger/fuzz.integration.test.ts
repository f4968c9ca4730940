import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type LedgerBench, ledgerBench } from '../testing/ledger-bench.ts';
import { Random, seedOf } from '../testing/random.ts';
import { Ledger } from './ledger.ts';
import { payloadHash } from './payload-hash.ts';

/** Operations per round, and how many of them are under way at once. */
const OPERATIONS = 900;
const CONCURRENCY = 24;
const ROUNDS = Number(process.env.RUNS ?? 3);
const TENANTS = 3;
/** Most operations are on a few requests at a time, which move on; the others repeat one from anywhere. */
const WINDOW = 5;
const DAY_MS = 86_400_000;

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

type Clock = { readonly now: () => Date; readonly advance: (ms: number) => void };

/** A tenant as the fuzz knows it: what its requests ask for and cost does not change, whoever repeats them. */
type Subject = LedgerBench & {
  readonly ids: readonly string[];
  readonly asked: ReadonlyMap<string, { amount: bigint; used: bigint; more: object }>;
};

async function subject(pool: pg.Pool, clock: Clock, random: Random): Promise<Subject> {
  const limits = { memberBudgetNanoEur: '700', keyBudgetNanoEur: '300' };
  const of = await ledgerBench({ pool, now: clock.now, registration: { monthlyBudgetNanoEur: '1500', ...limits } });
  const keys = await Promise.all([of.apiKey(), of.apiKey()]);
  const ids = Array.from({ length: OPERATIONS / 12 }, () => randomUUID());
  const clamp = { minOutputTokens: 1, minAmountNanoEur: 20n, stepOutputTokens: 1, stepNanoEur: 7n };
  const asked = ids.map((id): [string, { amount: bigint; used: bigint; more: object }] => {
    const who = random.chance(0.3)
      ? { keySha256: random.pick(keys).keySha256 }
      : { user: { externalId: `user-${random.integer(1, 4)}` } };
    const more = { ...who, ...(random.chance(0.3) ? { clamp } : {}) };
    return [id, { amount: BigInt(random.integer(0, 500)), used: BigInt(random.integer(0, 560)), more }];
  });
  return { ...of, ids, asked: new Map(asked) };
}

const REVERSIBLE = `select sequence from ledger_entry where account_id = $1 and kind in ('post', 'grant') order by sequence`;

/** One operation at random; which is decided now, and made by one of two ledgers that know nothing of each other. */
function operation(
  pool: pg.Pool,
  of: Subject,
  ledger: Ledger,
  random: Random,
  clock: Clock,
  progress: number,
): () => Promise<unknown> {
  const place = Math.floor(progress * (of.ids.length - WINDOW)) + random.integer(0, WINDOW - 1);
  const id = random.chance(0.2) ? random.pick(of.ids) : (of.ids[place] ?? '');
  const { amount, used, more } = of.asked.get(id) ?? { amount: 0n, used: 0n, more: {} };
  const dice = random.next();
  const { account } = of;
  const grant = (key: string, source: string, nanoEur: bigint | null, options = {}) =>
    ledger.addGrant(account, key, payloadHash(key), source, nanoEur, null, options);
  if (dice < 0.36) return () => of.authorise(amount, id, '', more);
  if (dice < 0.62) return () => of.settle(id, used);
  if (dice < 0.72) return () => ledger.void(account, id, 'upstream_failure');
  if (dice < 0.77) return () => ledger.sweep(100);
  if (dice < 0.81) return () => ledger.budget(account);
  if (dice < 0.85) return () => grant(`key-${random.integer(1, 8)}`, 'top_up', 400n);
  if (dice < 0.88) {
    const days = random.integer(1, 20);
    const expiresAt = new Date(clock.now().getTime() + days * DAY_MS);
    return () => grant(`promotion-${random.integer(1, 20)}`, 'promotion', 300n, { expiresAt });
  }
  if (dice < 0.9) return () => grant(`less-${random.integer(1, 20)}`, 'correction', -BigInt(random.integer(1, 500)));
  if (dice < 0.92) return () => grant(`reset-${random.integer(1, 6)}`, 'correction', null);
  if (dice < 0.94) {
    const [key, share, whole] = [`back-${random.integer(1, 60)}`, random.next(), random.chance(0.5)];
    return async () => {
      const { rows } = await pool.query<{ sequence: bigint }>(REVERSIBLE, [account]);
      const line = rows[Math.floor(share * rows.length)]?.sequence ?? 1n;
      await ledger.reverse(account, key, payloadHash(key), line, whole ? null : 30n, null);
    };
  }
  if (dice < 0.96) {
    const monthlyBudgetNanoEur = String(random.integer(0, 4000));
    const memberBudgetNanoEur = random.chance(0.3) ? null : String(random.integer(0, 900));
    return () => of.register({ monthlyBudgetNanoEur, memberBudgetNanoEur, displayName: randomUUID() });
  }
  if (dice < 0.99) return async () => clock.advance(random.integer(1, 60_000));
  return async () => clock.advance(random.integer(1, 25) * DAY_MS);
}

async function fuzz(todo: (() => Promise<unknown>)[]): Promise<void> {
  const worker = async () => {
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) await next();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/** Refusals that were given while a hold was overdue at that instant. (That their figures are right, a check sees to.) */
const WRONG_REFUSALS = `
  select e.request_id, e.reason from ledger_entry e where kind = 'refuse' and exists (
    select 1 from ledger_entry held join hold h using (account_id, request_id)
    where held.account_id = e.account_id and held.kind = 'hold' and held.sequence < e.sequence and h.expires_at <= e.at
      and not exists (select 1 from ledger_entry ended where ended.account_id = e.account_id
        and ended.request_id = h.request_id and ended.kind in ('post', 'void', 'expire')
        and ended.sequence < e.sequence))`;

/**
 * Every kind of operation at once, at random, on three accounts, by two control planes: repeated, reordered, late,
 * across period ends, while plans and limits change. The database's constraints hold at every commit; afterwards the
 * history must explain every balance.
 */
test('whatever happens at once, the history explains the balances and nothing is overspent', async () => {
  const first = seedOf('ledger fuzz');
  const kinds = new Set<string>();
  for (let seed = first; seed < first + ROUNDS; seed += 1) {
    const pool = openPool({ url: await databases.clone(), onError: () => {} });
    let now = new Date('2026-11-20T10:00:00Z');
    const clock: Clock = {
      now: () => now,
      advance: (ms) => {
        now = new Date(now.getTime() + ms);
      },
    };
    try {
      const random = new Random(seed);
      const subjects: Subject[] = [];
      for (let count = 0; count < TENANTS; count += 1) subjects.push(await subject(pool, clock, random));
      const other = new Ledger(pool, clock.now);
      const todo = Array.from({ length: OPERATIONS }, (_, index) => {
        const of = random.pick(subjects);
        return operation(pool, of, random.chance(0.5) ? of.ledger : other, random, clock, index / OPERATIONS);
      });
      await fuzz(todo);
      expect((await pool.query('select * from ledger_faults')).rows, `SEED=${seed}`).toEqual([]);
      expect((await pool.query(WRONG_REFUSALS)).rows, `SEED=${seed}`).toEqual([]);
      const seen = await pool.query<{ kind: string }>('select distinct kind from ledger_entry');
      for (const { kind } of seen.rows) kinds.add(kind);
    } finally {
      await pool.end();
    }
  }
  // A fuzz that never got anywhere would prove nothing. The rarer lines have tests of their own.
  const common = ['expire', 'grant', 'hold', 'lapse', 'post', 'refuse'];
  expect([...kinds]).toEqual(expect.arrayContaining(common));
});
