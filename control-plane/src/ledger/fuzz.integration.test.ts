import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type LedgerBench, ledgerBench } from '../testing/ledger-bench.ts';
import { Random, seedOf } from '../testing/random.ts';
import { payloadHash } from './payload-hash.ts';

/** Operations per round, and how many of them are under way at once. */
const OPERATIONS = 600;
const CONCURRENCY = 24;
const ROUNDS = Number(process.env.RUNS ?? 3);
const DAY_MS = 86_400_000;

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

/**
 * Every kind of operation at once, at random, on one account: repeated, reordered, late, across period ends, while the
 * plan changes. The database's constraints hold at every commit; afterwards the history must explain the balance.
 */
async function fuzz(of: LedgerBench, random: Random, clock: { advance: (ms: number) => void }): Promise<void> {
  const ids = Array.from({ length: OPERATIONS / 4 }, () => randomUUID());
  const amounts = new Map(ids.map((id) => [id, BigInt(random.integer(0, 600))]));
  const used = new Map(ids.map((id) => [id, BigInt(random.integer(0, 660))]));
  const operation = (): (() => Promise<unknown>) => {
    const id = random.pick(ids);
    const dice = random.next();
    if (dice < 0.35) return () => of.authorise(amounts.get(id) ?? 0n, id);
    if (dice < 0.62) return () => of.settle(id, used.get(id) ?? 0n);
    if (dice < 0.74) return () => of.ledger.void(of.account, id, 'upstream_failure');
    if (dice < 0.8) return () => of.ledger.sweep(100);
    if (dice < 0.86) return () => of.ledger.budget(of.account);
    if (dice < 0.9) {
      const key = `key-${random.integer(1, 8)}`;
      return () => of.ledger.addGrant(of.account, key, payloadHash(key), 'top_up', 400n, null);
    }
    if (dice < 0.92) {
      const [key, amount] = [`less-${random.integer(1, 20)}`, -BigInt(random.integer(1, 500))];
      return () => of.ledger.addGrant(of.account, key, payloadHash(key), 'correction', amount, null);
    }
    if (dice < 0.94) {
      const key = `reset-${random.integer(1, 6)}`;
      return () => of.ledger.addGrant(of.account, key, payloadHash(key), 'correction', null, null);
    }
    if (dice < 0.96) {
      const monthlyBudgetNanoEur = String(random.integer(0, 4000));
      return () => of.register({ monthlyBudgetNanoEur, displayName: randomUUID() });
    }
    if (dice < 0.99) return async () => clock.advance(random.integer(1, 90_000));
    return async () => clock.advance(random.integer(1, 25) * DAY_MS);
  };
  const todo = Array.from({ length: OPERATIONS }, operation);
  const worker = async () => {
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) await next();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/** Refusals that were wrong: of the other kind, or given while a hold was overdue at that instant. */
const WRONG_REFUSALS = `
  select e.request_id, e.reason from ledger_entry e where kind = 'refuse' and (
    (reason = 'busy') <> (posted_after + amount <= granted_after)
    or exists (select 1 from ledger_entry held join hold h using (account_id, request_id)
      where held.account_id = e.account_id and held.kind = 'hold' and held.sequence < e.sequence and h.expires_at <= e.at
        and not exists (select 1 from ledger_entry ended where ended.account_id = e.account_id
          and ended.request_id = h.request_id and ended.kind in ('post', 'void', 'expire')
          and ended.sequence < e.sequence)))`;

test('whatever happens at once, the history explains the balance and nothing is overspent', async () => {
  const first = seedOf('ledger fuzz');
  const seen = new Set<string>();
  for (let seed = first; seed < first + ROUNDS; seed += 1) {
    const pool = openPool({ url: await databases.clone(), onError: () => {} });
    let now = new Date('2026-11-20T10:00:00Z');
    const clock = {
      advance: (ms: number) => {
        now = new Date(now.getTime() + ms);
      },
    };
    try {
      const of = await ledgerBench({ pool, now: () => now, registration: { monthlyBudgetNanoEur: '2000' } });
      await fuzz(of, new Random(seed), clock);
      expect((await pool.query('select * from ledger_faults')).rows, `SEED=${seed}`).toEqual([]);
      expect((await pool.query(WRONG_REFUSALS)).rows, `SEED=${seed}`).toEqual([]);
      const kinds = await pool.query<{ kind: string }>('select distinct kind from ledger_entry');
      for (const { kind } of kinds.rows) seen.add(kind);
    } finally {
      await pool.end();
    }
  }
  expect([...seen].sort()).toEqual(['expire', 'grant', 'hold', 'lapse', 'overrun', 'post', 'refuse', 'void']);
});
