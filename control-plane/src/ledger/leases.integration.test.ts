import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type LeaseBench, leaseBench } from '../testing/lease-bench.ts';

const TTL_MS = 60_000;

let databases: TestDatabases;
let pool: pg.Pool;
let now: Date;
let of: LeaseBench;
let id: string;

beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  pool = openPool({ url: await databases.clone(), onError: () => {} });
  now = new Date('2026-11-20T10:00:00Z');
  of = await leaseBench({ pool, now: () => now, holdTtlMs: TTL_MS, registration: { monthlyBudgetNanoEur: '1000' } });
  id = randomUUID();
});
afterEach(async () => {
  await pool.query('select ledger_assert_balanced()');
  await pool.end();
});

const passes = (ms: number) => {
  now = new Date(now.getTime() + ms);
};
const free = async () => (await of.ledger.budget(of.account)).availableNanoEur;
const lines = async () => {
  const { rows } = await pool.query<{ kind: string; amount: bigint; held_after: bigint }>(
    `select kind, amount, held_after from ledger_entry where account_id = $1 and kind <> 'grant' order by sequence`,
    [of.account],
  );
  return rows.map(({ kind, amount, held_after }) => `${kind} ${amount}, held ${held_after}`);
};
const giveBack = (lease: string) => of.ledger.void(of.account, lease, 'lease_returned');

/** What brings a lease of 100 into a state. */
const STATES = {
  'never taken': async () => {},
  held: async () => {
    await of.lease(100n, id);
  },
  'drawn from': async () => {
    await of.lease(100n, id);
    await of.settleLeased(id, randomUUID(), 30n);
  },
  returned: async () => {
    await of.lease(100n, id);
    await giveBack(id);
  },
  expired: async () => {
    await of.lease(100n, id);
    passes(TTL_MS);
    await of.ledger.sweep(10);
  },
  'returned before it was taken': async () => {
    await giveBack(id);
  },
};

describe('every operation in every state of a lease has one outcome', () => {
  test.each<[keyof typeof STATES, object, string, string, string, string]>([
    // state                taken (again)                                 settled as a request    returned   authorised as a request
    ['never taken', { outcome: 'granted', leftNanoEur: 100n }, 'never taken', 'unknown', 'voided', 'granted'],
    ['held', { outcome: 'granted', leftNanoEur: 100n }, 'in time', 'not_authorised', 'voided', 'conflict'],
    ['drawn from', { outcome: 'granted', leftNanoEur: 70n }, 'in time', 'not_authorised', 'voided', 'conflict'],
    ['returned', { outcome: 'ended' }, 'late', 'not_authorised', 'voided', 'conflict'],
    ['expired', { outcome: 'ended' }, 'late', 'not_authorised', 'expired', 'conflict'],
    ['returned before it was taken', { outcome: 'ended' }, 'never taken', 'not_authorised', 'voided', 'already_voided'],
  ] as never)('%s', async (state, taken, drawn, settled, returned, authorised) => {
    const run = async <Outcome>(operation: () => Promise<Outcome>) => {
      id = randomUUID();
      of = await leaseBench({
        pool,
        now: () => now,
        holdTtlMs: TTL_MS,
        registration: { monthlyBudgetNanoEur: '1000' },
      });
      await STATES[state]();
      return operation();
    };
    expect(await run(() => of.lease(100n, id))).toEqual(taken);
    expect((await run(() => of.settle(id, 5n))).outcome).toBe(settled);
    expect(await run(() => giveBack(id))).toBe(returned);
    expect((await run(() => of.authorise(5n, id))).outcome).toBe(authorised);
    const draw = run(() => of.settleLeased(id, randomUUID(), 20n));
    if (drawn === 'never taken') await expect(draw).rejects.toThrow('no rows');
    else
      expect(await draw).toMatchObject({
        outcome: 'posted',
        late: drawn === 'late',
        postedNanoEur: 20n,
        overrunNanoEur: 0n,
      });
  });
});

test('the lines tell the whole story of a lease: held, drawn from, returned', async () => {
  await of.lease(100n, id);
  expect(await free()).toBe(900n);
  await of.settleLeased(id, randomUUID(), 30n, { boundNanoEur: 60n });
  expect(await free()).toBe(900n);
  await giveBack(id);
  expect(await free()).toBe(970n);
  expect(await lines()).toEqual([
    'lease 100, held 100',
    'draw 30, held 70',
    'hold 30, held 100',
    'post 30, held 70',
    'void 70, held 0',
  ]);
});

describe('a settlement of a leased call', () => {
  test('counts once, however often it is delivered', async () => {
    await of.lease(100n, id);
    const request = randomUUID();
    const answers = await Promise.all([1, 2, 3, 4].map(() => of.settleLeased(id, request, 30n)));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['posted', 'replayed', 'replayed', 'replayed']);
    expect((await of.settleLeased(id, request, 31n)).outcome).toBe('conflict');
    expect(await free()).toBe(900n);
  });

  test('counts after a void of the same call: its gateway was not lost after all', async () => {
    await of.lease(100n, id);
    const request = randomUUID();
    await of.ledger.void(of.account, request, 'gateway_lost');
    expect(await of.settleLeased(id, request, 30n)).toMatchObject({ outcome: 'posted', late: false });
    expect(await of.ledger.void(of.account, request, 'gateway_lost')).toBe('posted');
  });

  test('after its lease has ended is late: billed from what is free, and the rest is an overrun', async () => {
    await of.lease(100n, id);
    await giveBack(id);
    await of.authorise(980n);
    const late = await of.settleLeased(id, randomUUID(), 30n);
    expect(late).toMatchObject({ outcome: 'posted', late: true, postedNanoEur: 20n, overrunNanoEur: 10n });
  });

  test('that comes before anybody has seen that the lease is over is in time', async () => {
    await of.lease(100n, id);
    passes(2 * TTL_MS);
    expect(await of.settleLeased(id, randomUUID(), 30n)).toMatchObject({ late: false, postedNanoEur: 30n });
  });

  test('above what the lease has left is late; above its bound is an overrun', async () => {
    await of.lease(100n, id);
    expect(await of.settleLeased(id, randomUUID(), 130n)).toMatchObject({ late: true, postedNanoEur: 130n });
    const above = await of.settleLeased(id, randomUUID(), 50n, { boundNanoEur: 40n });
    expect(above).toMatchObject({ late: false, postedNanoEur: 40n, overrunNanoEur: 10n });
  });

  test('counts for its user, whatever limit they were given meanwhile', async () => {
    await of.lease(100n, id);
    await of.settleLeased(id, randomUUID(), 10n, { user: 'ada' });
    await pool.query(`update member set monthly_budget = 15`);
    await of.ledger.refreshLimits(of.account);
    expect(await of.settleLeased(id, randomUUID(), 10n, { user: 'ada' })).toMatchObject({ postedNanoEur: 10n });
    const { rows } = await pool.query(`select wished, budget, posted, held from sub_balance`);
    expect(rows).toEqual([{ wished: 15n, budget: 20n, posted: 20n, held: 0n }]);
  });

  test('spends what was kept for its lease, though that money has expired meanwhile', async () => {
    now = new Date('2026-11-30T22:59:30Z'); // half a minute before the month ends in Berlin
    await of.lease(100n, id);
    passes(45_000);
    expect(await of.settleLeased(id, randomUUID(), 30n)).toMatchObject({ late: false, postedNanoEur: 30n });
    expect(await of.lease(100n, id)).toEqual({ outcome: 'denied' });
    await giveBack(id);
    expect(await free()).toBe(1000n);
  });
});

describe('a lease is', () => {
  test('at most a tenth of what is free, so many gateways’ leases are disjoint and leave enough', async () => {
    const leases = await Promise.all(Array.from({ length: 5 }, () => of.lease(1000n, randomUUID())));
    // 100, then a tenth of 900, of 810 …: but less than a quarter of what was wished is none
    expect(leases).toEqual(Array(5).fill({ outcome: 'denied' }));
    const smaller = await Promise.all(Array.from({ length: 5 }, () => of.lease(100n, randomUUID())));
    const left = smaller.flatMap((lease) => (lease.outcome === 'granted' ? [lease.leftNanoEur] : []));
    expect(left.sort((a, b) => Number(b - a))).toEqual([100n, 90n, 81n, 72n, 65n]);
    expect(await free()).toBe(1000n - 408n);
  });

  test('given back when it has become a large part of what is left', async () => {
    await of.lease(100n, id);
    await of.authorise(500n);
    expect(await of.lease(100n, id)).toMatchObject({ outcome: 'granted' });
    await of.authorise(100n);
    expect(await of.lease(100n, id)).toEqual({ outcome: 'denied' });
  });

  test('kept alive by being asked for again, without a line', async () => {
    await of.lease(100n, id);
    for (let times = 0; times < 3; times += 1) {
      passes(TTL_MS / 2);
      expect(await of.lease(100n, id)).toEqual({ outcome: 'granted', leftNanoEur: 100n });
    }
    expect(await lines()).toEqual(['lease 100, held 100']);
    passes(TTL_MS);
    expect(await free()).toBe(900n);
    expect(await of.ledger.sweep(10)).toBe(1);
    expect(await free()).toBe(1000n);
  });

  test('denied on other prices than it was made on', async () => {
    await of.lease(100n, id);
    await pool.query('update catalogue set revision = revision + 1');
    expect(await of.lease(100n, id)).toEqual({ outcome: 'stale' });
    await of.register({ monthlyBudgetNanoEur: '1000', marginPercent: 30 });
    expect(await of.lease(100n, id)).toEqual({ outcome: 'denied' });
  });

  test('no reason to refuse anybody once its time is over', async () => {
    await of.lease(100n, id);
    passes(TTL_MS);
    expect(await of.authorise(1000n)).toMatchObject({ outcome: 'granted', unlimited: true });
  });
});
