import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type LedgerBench, ledgerBench } from '../testing/ledger-bench.ts';
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

const bench = (monthlyBudgetNanoEur: string, timeZone = 'Europe/Berlin'): Promise<LedgerBench> =>
  ledgerBench({ pool, now: () => now, registration: { monthlyBudgetNanoEur, timeZone } });

const entries = async (of: LedgerBench) => {
  const { rows } = await pool.query<{ kind: string; amount: bigint; reason: string | null }>(
    'select kind, amount, reason from ledger_entry where account_id = $1 order by sequence',
    [of.account],
  );
  return rows.map(({ kind, amount, reason }) => `${kind} ${amount}${reason === null ? '' : ` ${reason}`}`);
};

/** What brings a request into a state, and what each operation then answers. */
const STATES = {
  'never seen': async () => {},
  held: async (of: LedgerBench, id: string) => {
    await of.authorise(100n, id);
  },
  posted: async (of: LedgerBench, id: string) => {
    await of.authorise(100n, id);
    await of.settle(id, 60n);
  },
  voided: async (of: LedgerBench, id: string) => {
    await of.authorise(100n, id);
    await of.ledger.void(of.account, id, 'upstream_failure');
  },
  expired: async (of: LedgerBench, id: string) => {
    await of.authorise(100n, id);
    now = new Date(now.getTime() + 120_000);
    await of.ledger.sweep(10);
  },
  refused: async (of: LedgerBench, id: string) => {
    await of.authorise(5000n, id);
  },
  'voided before authorise': async (of: LedgerBench, id: string) => {
    await of.ledger.void(of.account, id, 'authorise_unknown');
  },
};
type State = keyof typeof STATES;

describe('every operation in every state has one outcome', () => {
  test.each<[State, string, string, string, string]>([
    // state before            authorise again     other payload   settle            void
    ['never seen', 'granted', 'granted', 'unknown', 'voided'],
    ['held', 'granted', 'conflict', 'posted', 'voided'],
    ['posted', 'already_posted', 'conflict', 'replayed', 'posted'],
    ['voided', 'already_voided', 'conflict', 'posted', 'voided'],
    ['expired', 'already_expired', 'conflict', 'posted', 'expired'],
    ['refused', 'refused', 'conflict', 'not_authorised', 'refused'],
    ['voided before authorise', 'already_voided', 'already_voided', 'not_authorised', 'voided'],
  ])('%s', async (state, again, other, settled, voided) => {
    const run = async <Outcome>(operation: (of: LedgerBench, id: string) => Promise<Outcome>) => {
      const of = await bench('1000');
      const id = randomUUID();
      await STATES[state](of, id);
      return operation(of, id);
    };
    const amount = state === 'refused' ? 5000n : 100n;
    expect(await run((of, id) => of.authorise(amount, id))).toMatchObject({ outcome: again });
    expect(await run((of, id) => of.authorise(amount, id, 'another'))).toMatchObject({ outcome: other });
    expect(await run((of, id) => of.settle(id, 60n))).toMatchObject({ outcome: settled });
    expect(await run((of, id) => of.ledger.void(of.account, id, 'client_gone'))).toBe(voided);
  });

  test('and a settlement with other figures is a conflict that changes nothing', async () => {
    const of = await bench('1000');
    const id = randomUUID();
    await STATES.posted(of, id);
    const before = await entries(of);
    expect(await of.settle(id, 61n)).toMatchObject({ outcome: 'conflict' });
    expect(await entries(of)).toEqual(before);
  });
});

describe('a refusal', () => {
  test('is busy when it would fit if the live holds were gone, and spent when it would not', async () => {
    const of = await bench('1000');
    await of.authorise(600n);
    expect(await of.authorise(500n)).toMatchObject({ outcome: 'refused', reason: 'busy' });
    expect(await of.authorise(1001n)).toMatchObject({ outcome: 'refused', reason: 'spent' });
    expect(await entries(of)).toEqual(['grant 1000 plan', 'hold 600', 'refuse 500 busy', 'refuse 1001 spent']);
  });

  test('is never given for a hold that is overdue: it is expired in the same transaction', async () => {
    const of = await bench('1000');
    await of.authorise(1000n);
    now = new Date(now.getTime() + 60_000);
    expect(await of.authorise(1000n)).toMatchObject({ outcome: 'granted' });
    expect(await entries(of)).toEqual(['grant 1000 plan', 'hold 1000', 'expire 1000', 'hold 1000']);
  });

  test('of a repeated request gives the same answer, even when it would fit by now', async () => {
    const of = await bench('1000');
    const id = randomUUID();
    await of.authorise(1500n, id);
    await of.ledger.addGrant(of.account, 'k', payloadHash(1), 'top_up', 1000n, null);
    expect(await of.authorise(1500n, id)).toMatchObject({ outcome: 'refused', reason: 'spent', grantedNanoEur: 1000n });
  });
});

describe('a settlement', () => {
  test('posts what was used and frees the rest', async () => {
    const of = await bench('1000');
    const id = randomUUID();
    await of.authorise(100n, id);
    await of.settle(id, 60n);
    expect(await of.ledger.budget(of.account)).toMatchObject({
      postedNanoEur: 60n,
      heldNanoEur: 0n,
      availableNanoEur: 940n,
    });
  });

  test('above its hold posts the hold and books the rest as an overrun', async () => {
    const of = await bench('1000');
    const id = randomUUID();
    await of.authorise(100n, id);
    expect(await of.settle(id, 130n)).toMatchObject({ postedNanoEur: 100n, overrunNanoEur: 30n, totalNanoEur: 130n });
    expect(await entries(of)).toEqual(['grant 1000 plan', 'hold 100', 'post 100', 'overrun 30 above_hold']);
  });

  test('after its hold expired is billed once, from what is free by then', async () => {
    const of = await bench('100');
    const id = randomUUID();
    await STATES.expired(of, id);
    await of.authorise(70n);
    expect(await of.settle(id, 60n)).toMatchObject({
      outcome: 'posted',
      late: true,
      postedNanoEur: 30n,
      overrunNanoEur: 30n,
    });
    expect(await of.settle(id, 60n)).toMatchObject({ outcome: 'replayed', postedNanoEur: 30n });
    expect((await entries(of)).slice(-3)).toEqual(['hold 70', 'post 30 late', 'overrun 30 late']);
  });

  test('delivered by many at once is billed once', async () => {
    const of = await bench('1000');
    const id = randomUUID();
    await of.authorise(100n, id);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => of.settle(id, 60n)));
    expect(outcomes.filter(({ outcome }) => outcome === 'posted')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'replayed')).toHaveLength(19);
  });
});

test('200 at once for a budget of 10: ten are granted, 190 refused, each rightly by the history', async () => {
  const of = await bench('1000');
  const ids = Array.from({ length: 200 }, () => randomUUID());
  const outcomes = await Promise.all(ids.map((id) => of.authorise(100n, id)));
  expect(outcomes.filter(({ outcome }) => outcome === 'granted')).toHaveLength(10);
  expect(outcomes.filter((answer) => answer.outcome === 'refused' && answer.reason === 'busy')).toHaveLength(190);
  const granted = ids.filter((_, index) => outcomes[index]?.outcome === 'granted');
  await Promise.all(granted.map((id) => of.settle(id, 100n)));
  expect(await of.ledger.budget(of.account)).toMatchObject({ postedNanoEur: 1000n, availableNanoEur: 0n });
  expect(await of.authorise(1n)).toMatchObject({ outcome: 'refused', reason: 'spent' });
});

test('the same request id from many at once is one hold', async () => {
  const of = await bench('1000');
  const id = randomUUID();
  const outcomes = await Promise.all(Array.from({ length: 30 }, () => of.authorise(100n, id)));
  expect(outcomes.every(({ outcome }) => outcome === 'granted')).toBe(true);
  expect(await of.ledger.budget(of.account)).toMatchObject({ heldNanoEur: 100n });
});

describe('a grant', () => {
  test('sent many times at once with one key is granted once', async () => {
    const of = await bench('0');
    const send = () => of.ledger.addGrant(of.account, 'event-1', payloadHash(500), 'top_up', 500n, null);
    const outcomes = await Promise.all(Array.from({ length: 20 }, send));
    expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'replayed')).toHaveLength(19);
    expect(await of.ledger.addGrant(of.account, 'event-1', payloadHash(501), 'top_up', 501n, null)).toEqual({
      outcome: 'conflict',
    });
    expect(await of.ledger.budget(of.account)).toMatchObject({ grantedNanoEur: 500n });
  });

  test('that corrects downwards takes what is free, and no more', async () => {
    const of = await bench('1000');
    await of.authorise(700n);
    const take = (key: string, amount: bigint) =>
      of.ledger.addGrant(of.account, key, payloadHash(key), 'correction', amount, null);
    expect(await take('a', -301n)).toEqual({ outcome: 'insufficient', takeableNanoEur: 300n });
    expect(await take('b', -300n)).toMatchObject({ outcome: 'created' });
    expect(await of.ledger.budget(of.account)).toMatchObject({ grantedNanoEur: 700n, availableNanoEur: 0n });
  });

  test('that resets gives back what the period has cost since the last reset', async () => {
    const of = await bench('1000');
    const spend = async (amount: bigint) => {
      const id = randomUUID();
      await of.authorise(amount, id);
      await of.settle(id, amount);
    };
    const reset = (key: string) => of.ledger.addGrant(of.account, key, payloadHash(key), 'correction', null, null);
    await spend(400n);
    expect(await reset('a')).toMatchObject({ grant: { amountNanoEur: 400n } });
    await spend(150n);
    expect(await reset('b')).toMatchObject({ grant: { amountNanoEur: 150n } });
    expect(await of.ledger.budget(of.account)).toMatchObject({ availableNanoEur: 1000n, postedNanoEur: 550n });
    now = new Date('2026-12-02T10:00:00Z');
    expect(await of.ledger.budget(of.account)).toMatchObject({ availableNanoEur: 1000n, postedNanoEur: 0n });
  });
});

describe('a new period', () => {
  test('begins by itself: unspent plan money lapses, top-ups stay', async () => {
    const of = await bench('1000');
    const id = randomUUID();
    await of.authorise(300n, id);
    await of.settle(id, 300n);
    await of.ledger.addGrant(of.account, 'k', payloadHash(1), 'top_up', 50n, null);
    now = new Date('2026-11-30T23:00:00Z');
    expect(await of.ledger.budget(of.account)).toMatchObject({
      period: '2026-12',
      grantedNanoEur: 1050n,
      postedNanoEur: 0n,
      availableNanoEur: 1050n,
      resetsAt: new Date('2026-12-31T23:00:00Z'),
    });
    expect((await entries(of)).slice(-2)).toEqual(['lapse 700 period_ended', 'grant 1000 plan']);
  });

  test('spends plan money before top-ups', async () => {
    const of = await bench('1000');
    await of.ledger.addGrant(of.account, 'k', payloadHash(1), 'top_up', 500n, null);
    const id = randomUUID();
    await of.authorise(1200n, id);
    await of.settle(id, 1200n);
    now = new Date('2026-12-01T10:00:00Z');
    expect(await of.ledger.budget(of.account)).toMatchObject({ availableNanoEur: 1300n });
  });

  test('leaves a hold of the old one covered; what it does not use lapses when it ends', async () => {
    const of = await bench('1000');
    const id = randomUUID();
    now = new Date('2026-11-30T22:59:59Z');
    await of.authorise(400n, id);
    now = new Date('2026-11-30T23:00:10Z');
    expect(await of.ledger.budget(of.account)).toMatchObject({
      grantedNanoEur: 1400n,
      heldNanoEur: 400n,
      availableNanoEur: 1000n,
    });
    await of.settle(id, 100n);
    expect(await of.ledger.budget(of.account)).toMatchObject({ availableNanoEur: 1000n, heldNanoEur: 0n });
    expect((await entries(of)).slice(-2)).toEqual(['post 100', 'lapse 300 period_ended']);
  });

  test('is granted once, however many ask at its first instant', async () => {
    const of = await bench('1000');
    now = new Date('2026-12-01T10:00:00Z');
    await Promise.all(Array.from({ length: 20 }, () => of.ledger.budget(of.account)));
    expect((await entries(of)).filter((line) => line.startsWith('grant'))).toHaveLength(2);
  });

  test('after months without a call is the present one only', async () => {
    const of = await bench('1000');
    now = new Date('2027-03-05T10:00:00Z');
    expect(await of.ledger.budget(of.account)).toMatchObject({ period: '2027-03', grantedNanoEur: 1000n });
  });

  test.each([
    ['Europe/Berlin', '2026-03-31T21:59:59Z', '2026-03', '2026-03-31T22:00:00Z'],
    ['Europe/Berlin', '2026-10-31T22:59:59Z', '2026-10', '2026-10-31T23:00:00Z'],
    ['America/New_York', '2026-11-01T03:59:59Z', '2026-10', '2026-11-01T04:00:00Z'],
    ['Pacific/Kiritimati', '2026-10-31T10:00:00Z', '2026-11', '2026-11-30T10:00:00Z'],
    // Clocks go back at one in the morning of the first, to midnight: that comes twice, and the first one counts.
    ['America/Havana', '2026-11-01T03:59:59Z', '2026-10', '2026-11-01T04:00:00Z'],
    ['America/Havana', '2026-11-01T04:30:00Z', '2026-11', '2026-12-01T05:00:00Z'],
    // Clocks go forward at midnight of the first: there is none, and the month begins at one.
    ['America/Asuncion', '2023-10-01T03:59:59Z', '2023-09', '2023-10-01T04:00:00Z'],
    ['Australia/Lord_Howe', '2026-03-31T12:59:59Z', '2026-03', '2026-03-31T13:00:00Z'],
    ['UTC', '2028-02-29T23:59:59Z', '2028-02', '2028-03-01T00:00:00Z'],
  ])('ends at midnight in %s, summer time or not', async (zone, at, period, end) => {
    now = new Date(at);
    const of = await bench('1000', zone);
    expect(await of.ledger.budget(of.account)).toMatchObject({ period, resetsAt: new Date(end) });
  });

  test('never begins twice when the tenant moves to a time zone where it is still the old month', async () => {
    const of = await bench('1000', 'Pacific/Kiritimati');
    now = new Date('2026-11-30T12:00:00Z');
    expect(await of.ledger.budget(of.account)).toMatchObject({ period: '2026-12' });
    await of.register({ timeZone: 'Pacific/Honolulu' });
    expect(await of.ledger.budget(of.account)).toMatchObject({
      period: '2026-12',
      grantedNanoEur: 1000n,
      resetsAt: new Date('2027-01-01T10:00:00Z'),
    });
  });
});

describe('a tenant that moves to another time zone', () => {
  test('where its month is over already, while something is held: the hold stays covered, a new month begins', async () => {
    now = new Date('2026-11-30T20:00:00Z');
    const of = await bench('1000', 'America/New_York');
    const id = randomUUID();
    await of.authorise(400n, id);
    await of.register({ timeZone: 'Pacific/Kiritimati' });
    now = new Date(now.getTime() + 1000);
    expect(await of.ledger.budget(of.account)).toMatchObject({ period: '2026-12', availableNanoEur: 1000n });
    expect(await of.settle(id, 400n)).toMatchObject({ postedNanoEur: 400n, overrunNanoEur: 0n });
  });

  test('where its month is not over yet, though it was: nothing lapses and nothing is granted twice', async () => {
    now = new Date('2026-11-30T12:00:00Z');
    const of = await bench('1000', 'Asia/Tokyo');
    now = new Date('2026-11-30T15:30:00Z');
    await of.register({ timeZone: 'UTC' });
    expect(await entries(of)).toEqual(['grant 1000 plan']);
  });
});

describe('another monthly budget', () => {
  test('grants the difference at once when it is higher', async () => {
    const of = await bench('1000');
    await of.register({ monthlyBudgetNanoEur: '1500' });
    expect(await of.ledger.budget(of.account)).toMatchObject({ grantedNanoEur: 1500n });
    await of.register({ monthlyBudgetNanoEur: '1500', displayName: 'Renamed' });
    expect(await of.ledger.budget(of.account)).toMatchObject({ grantedNanoEur: 1500n });
  });

  test('takes the difference back when it is lower, never what is spent, and what is held when it is freed', async () => {
    const of = await bench('1000');
    const [spent, held] = [randomUUID(), randomUUID()];
    await of.authorise(300n, spent);
    await of.settle(spent, 300n);
    await of.authorise(600n, held);
    await of.register({ monthlyBudgetNanoEur: '400' });
    expect(await of.ledger.budget(of.account)).toMatchObject({ grantedNanoEur: 900n, availableNanoEur: 0n });
    await of.ledger.void(of.account, held, 'upstream_failure');
    expect(await of.ledger.budget(of.account)).toMatchObject({ grantedNanoEur: 400n, availableNanoEur: 100n });
    await of.register({ monthlyBudgetNanoEur: '1000' });
    expect(await of.ledger.budget(of.account)).toMatchObject({ grantedNanoEur: 1000n, availableNanoEur: 700n });
  });
});

describe('the database itself refuses', () => {
  test.each(['ledger_entry', 'ledger_grant', 'usage_line'])('to change or delete a line of %s', async (table) => {
    const of = await bench('1000');
    const id = randomUUID();
    await of.authorise(1n, id);
    await of.settle(id, 1n);
    for (const statement of [
      `update ${table} set account_id = account_id`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]) {
      await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
    // Whoever takes the privilege back still meets the trigger.
    await pool.query(`grant update, delete, truncate on ${table} to current_user`);
    for (const statement of [
      `update ${table} set account_id = account_id`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]) {
      await expect(pool.query(statement)).rejects.toMatchObject({ code: 'CF001' });
    }
  });

  test('a balance that is overspent, a second post, and a refusal that was wrong', async () => {
    const of = await bench('1000');
    const id = randomUUID();
    await of.authorise(100n, id);
    await of.settle(id, 100n);
    await expect(pool.query('update balance set held = granted')).rejects.toMatchObject({
      constraint: 'never_overspent',
    });
    const line = (kind: string, amount: number) =>
      pool.query(
        `insert into ledger_entry (account_id, sequence, at, kind, period, request_id, amount, scope, reason,
           granted_after, posted_after, held_after, overrun_after)
         select account_id, 99, at, $1, period, request_id, $2, 'tenant', 'spent',
           granted_after, posted_after, held_after, overrun_after from ledger_entry where kind = 'post'`,
        [kind, amount],
      );
    await expect(line('post', 1)).rejects.toMatchObject({ constraint: 'ledger_entry_once' });
    await expect(line('refuse', 1)).rejects.toMatchObject({ constraint: 'a_refusal_was_right' });
  });
});

test('the replay finds a balance that was changed behind the ledger’s back', async () => {
  const of = await bench('1000');
  await of.authorise(100n);
  await pool.query('update balance set granted = granted + 1');
  await expect(pool.query('select ledger_assert_balanced()')).rejects.toMatchObject({ code: 'CF002' });
  await pool.query('update balance set granted = granted - 1');
});
