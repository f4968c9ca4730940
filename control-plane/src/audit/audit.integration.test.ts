import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inTransaction, openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { appendAudit } from './append.ts';
import type { AuditEntry } from './entry.ts';
import { eraseFromAudit } from './erase.ts';
import { entriesInOrder } from './read.ts';
import { pruneAudit } from './retention.ts';
import { hashedFields, hashOfFields } from './stored-entry.ts';
import { verifyChain } from './verify.ts';

const ANNA = '0b0f3f0e-7d0c-4c3e-8f5e-0e8f1f2a3b4c';
const JOANNA = '1c1f3f0e-7d0c-4c3e-8f5e-0e8f1f2a3b4d';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

let pool: pg.Pool;
beforeEach(async () => {
  pool = openPool({ url: await databases.clone(), onError: () => {} });
});
afterEach(() => pool.end());

/** A tenant that events can be told to. */
async function tenant(name: string): Promise<bigint> {
  const { rows } = await pool.query<{ id: bigint }>(
    `insert into tenant (name, registration, time_zone, gateway_credential)
     values ($1, '{}', 'UTC', sha256(convert_to($1, 'UTF8'))) returning id`,
    [name],
  );
  return rows[0]?.id ?? 0n;
}

function entry(more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    tenant: null,
    actor: { kind: 'person', id: ANNA, name: 'Anna' },
    from: { address: '192.0.2.1', userAgent: 'curl/8' },
    action: 'changeUser',
    target: { kind: 'budget', id: 'budget-1' },
    before: { budget: '1', mail: 'anna@example.test' },
    after: { budget: '2', mail: 'joanna@example.test' },
    requestId: 'request-1',
    ...more,
  };
}

async function append(count: number, more: Partial<AuditEntry> = {}): Promise<void> {
  for (let n = 0; n < count; n += 1) await appendAudit(pool, entry({ requestId: `request-${n + 1}`, ...more }));
}

/** What someone can do who owns the database. */
async function tamper(...statements: string[]): Promise<void> {
  await pool.query('grant all on audit_entry, audit_anchor, audit_chain, audit_personal to current_user');
  for (const table of ['audit_entry', 'audit_personal', 'audit_chain', 'audit_anchor']) {
    await pool.query(`alter table ${table} disable trigger user`);
  }
  for (const statement of statements) await pool.query(statement);
}

const faults = async (chain = 0n) => (await verifyChain(pool, chain)).faults;

describe('the chain', () => {
  test('of entries that nobody touched is proven, the database and we agreeing on every hash', async () => {
    const id = await tenant('demo');
    await append(3);
    await append(2, { tenant: id, before: undefined, after: { text: 'ü€😀' }, target: null, requestId: null });
    expect(await verifyChain(pool, 0n)).toMatchObject({ entries: 3, prunedThrough: 0n, faults: [] });
    expect(await verifyChain(pool, id)).toMatchObject({ entries: 2, head: { sequence: 2n }, faults: [] });
    for await (const { entry: stored } of entriesInOrder(pool, id)) {
      expect(hashOfFields(hashedFields(stored))).toEqual(stored.hash);
    }
  });

  test('has no gap and no fork however many write at once, and a rolled-back entry takes no number', async () => {
    const id = await tenant('demo');
    await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        inTransaction(pool, async (client) => {
          await client.query('select event_append($1, $2, $3)', [id, 'test.happened', { n }]);
          await appendAudit(client, entry({ tenant: id }));
          await appendAudit(client, entry());
          if (n % 10 === 0) throw new Error('rolled back');
        }).catch((error: Error) => expect(error.message).toBe('rolled back')),
      ),
    );
    expect(await verifyChain(pool, id)).toMatchObject({ entries: 45, head: { sequence: 45n }, faults: [] });
    expect(await verifyChain(pool, 0n)).toMatchObject({ entries: 45, head: { sequence: 45n }, faults: [] });
  });

  test('tells the tenant’s stream of each entry', async () => {
    const id = await tenant('demo');
    await append(1, { tenant: id });
    const { rows } = await pool.query('select type, data from event where tenant_id = $1', [id]);
    expect(rows).toEqual([{ type: 'audit.appended', data: { sequence: 1, action: 'changeUser' } }]);
  });

  test.each([
    'update audit_entry set action = action',
    'delete from audit_entry',
    'truncate audit_entry',
    `update audit_personal set value = '"someone else"'`,
    'delete from audit_personal',
    'truncate audit_personal',
    'delete from audit_chain',
    `insert into audit_anchor (chain_id, sequence, hash, count) select 0, 1, hash, 1 from audit_entry where sequence = 1`,
    'delete from audit_anchor',
  ])('is not to be changed: %s', async (statement) => {
    await append(2);
    await expect(pool.query(statement)).rejects.toThrow(/append-only|permission denied|only be erased|older than/);
    expect(await faults()).toEqual([]);
  });
});

describe('verify names the entry when someone who owns the database', () => {
  const changes: Record<string, string> = {
    chain_id: '99',
    sequence: '2000',
    at: `at + interval '1 microsecond'`,
    actor_kind: `'admin'`,
    actor_id: `'${JOANNA}'`,
    actor: `'personal:2'`,
    action: `'changeUsers'`,
    target_kind: `'budgets'`,
    target_id: `'budget-2'`,
    before: `'{"budget":"1" }'`,
    after: 'null',
    request_id: 'null',
    personal: `personal[2:3]`,
    previous: `sha256('')`,
    hash: `sha256('')`,
  };

  test('changes a column, whichever it is', async () => {
    await append(5);
    const { rows } = await pool.query<{ name: string }>(
      `select column_name as name from information_schema.columns where table_name = 'audit_entry'`,
    );
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(changes).sort());
    await tamper('create table kept as select * from audit_entry');
    for (const [column, value] of Object.entries(changes)) {
      await pool.query(`update audit_entry set ${column} = ${value} where sequence = 3`);
      const found = await faults();
      expect(found.length, column).toBeGreaterThan(0);
      expect(
        found.filter(({ sequence }) => ![3n, 2000n].includes(sequence)),
        column,
      ).toEqual([]);
      expect(found, column).toContainEqual(expect.objectContaining({ sequence: 3n }));
      await pool.query('delete from audit_entry');
      await pool.query('insert into audit_entry select * from kept');
      expect(await faults()).toEqual([]);
    }
  });

  test('takes one away, or several', async () => {
    await append(7);
    await tamper('delete from audit_entry where sequence in (3, 5, 6)');
    expect(await faults()).toEqual([
      { sequence: 3n, fault: 'missing' },
      { sequence: 5n, through: 6n, fault: 'missing' },
    ]);
  });

  test('swaps two', async () => {
    await append(5);
    await tamper(
      'update audit_entry set sequence = 1000 where sequence = 2',
      'update audit_entry set sequence = 2 where sequence = 4',
      'update audit_entry set sequence = 4 where sequence = 1000',
    );
    expect(await faults()).toEqual([
      { sequence: 2n, fault: 'changed' },
      { sequence: 4n, fault: 'changed' },
    ]);
  });

  test('puts one in, after the head or between two with the later ones moved', async () => {
    await append(3);
    const copy = (sequence: number) => `insert into audit_entry select chain_id, ${sequence}, at, actor_kind, actor_id,
      actor, action, target_kind, target_id, before, after, request_id, personal, previous, hash
      from audit_entry where sequence = 1`;
    await tamper(copy(4));
    expect(await faults()).toEqual([{ sequence: 4n, fault: 'inserted' }]);
    await tamper(
      'delete from audit_entry where sequence = 4',
      'update audit_entry set sequence = sequence + 100 where sequence >= 2',
      'update audit_entry set sequence = sequence - 99 where sequence >= 100',
      copy(2),
    );
    expect(await faults()).toMatchObject([
      { sequence: 2n, fault: 'changed' },
      { sequence: 3n, fault: 'changed' },
      { sequence: 4n, fault: 'inserted' },
    ]);
  });

  test('rewrites one with a hash that fits it', async () => {
    await append(3);
    await tamper(
      `update audit_entry set action = 'nothing' where sequence = 2`,
      'update audit_entry e set hash = audit_hash(e) where sequence = 2',
    );
    expect(await faults()).toEqual([{ sequence: 3n, fault: 'unlinked' }]);
  });

  test('cuts the tail off, or all of it', async () => {
    await append(5);
    await tamper('delete from audit_entry where sequence >= 4');
    expect(await faults()).toEqual([{ sequence: 4n, through: 5n, fault: 'missing' }]);
    await pool.query('delete from audit_entry');
    expect(await faults()).toEqual([{ sequence: 1n, through: 5n, fault: 'missing' }]);
  });

  test('turns the head back without the entries, or takes it away', async () => {
    await append(3);
    await tamper('update audit_chain set sequence = 2');
    expect(await faults()).toMatchObject([{ sequence: 3n, fault: 'inserted' }, { fault: 'head' }]);
    await pool.query('update audit_chain set sequence = 3, hash = previous from audit_entry e where e.sequence = 3');
    expect(await faults()).toEqual([{ sequence: 3n, fault: 'head' }]);
    await pool.query('delete from audit_chain');
    expect(await faults()).toHaveLength(3);
  });

  test('changes what was set apart, or takes it away', async () => {
    await append(3);
    await tamper(
      `update audit_personal set value = '{"name":"Mallory"}' where sequence = 2 and place = 1`,
      'delete from audit_personal where sequence = 3 and place = 2',
    );
    expect(await faults()).toEqual([
      { sequence: 2n, fault: 'personal' },
      { sequence: 3n, fault: 'personal' },
    ]);
  });
});

test('a person who is forgotten is nowhere in it, others are, and the chain still holds', async () => {
  await append(2);
  await appendAudit(pool, entry({ actor: { kind: 'person', id: JOANNA, name: 'Joanna' }, before: undefined }));
  await appendAudit(pool, entry({ actor: { kind: 'anonymous', id: null, name: 'Anna@Example.test' } }));
  expect(await inTransaction(pool, (client) => eraseFromAudit(client, [ANNA], ['anna@example.test']))).toBe(6);
  const { rows } = await pool.query<{ text: string }>(
    'select e::text as text from audit_entry e union all select p::text from audit_personal p',
  );
  const all = rows.map(({ text }) => text).join('\n');
  expect(all).not.toMatch(/"name":"Anna"|[^o]anna@example/i);
  expect(all).toContain('joanna@example.test');
  expect(all).toContain(ANNA);
  expect(await verifyChain(pool, 0n)).toMatchObject({ faults: [], erasedValues: 6 });
});

describe('retention', () => {
  /** Makes the entries as old as they are numbered from the end, in months, with hashes that fit. */
  async function age(chain: bigint): Promise<void> {
    await tamper(`do $$ declare e audit_entry; v_previous bytea := audit_genesis(${chain}); begin
      for e in select * from audit_entry where chain_id = ${chain} order by sequence loop
        e.at := now() - (select (sequence - e.sequence) * interval '31 days' from audit_chain where id = ${chain});
        e.previous := v_previous;
        e.hash := audit_hash(e);
        v_previous := e.hash;
        update audit_entry set at = e.at, previous = e.previous, hash = e.hash
          where chain_id = e.chain_id and sequence = e.sequence;
      end loop;
      update audit_chain set hash = v_previous where id = ${chain};
    end $$`);
    for (const table of ['audit_entry', 'audit_personal', 'audit_chain', 'audit_anchor']) {
      await pool.query(`alter table ${table} enable trigger user`);
    }
  }

  test('takes the oldest away, keeps an anchor, says so, and the rest is still proven', async () => {
    const id = await tenant('demo');
    await pool.query(`update tenant set registration = '{"auditRetentionDays": 90}'`);
    await append(15);
    await append(5, { tenant: id });
    await age(0n);
    await age(id);
    expect(await faults()).toEqual([]);
    expect(await pruneAudit(pool)).toBe(3n + 2n);
    expect(await verifyChain(pool, 0n)).toMatchObject({
      entries: 13,
      prunedThrough: 3n,
      head: { sequence: 16n },
      faults: [],
    });
    expect(await verifyChain(pool, id)).toMatchObject({
      entries: 4,
      prunedThrough: 2n,
      head: { sequence: 6n },
      faults: [],
    });
    const { rows } = await pool.query(
      'select action, actor_id, after from audit_entry where chain_id = $1 and sequence = 6',
      [id],
    );
    expect(rows).toEqual([
      { action: 'audit.pruned', actor_id: 'audit-retention', after: { entries: '2', olderThanDays: 90 } },
    ]);
    const { rows: left } = await pool.query('select min(sequence) from audit_personal where chain_id = $1', [id]);
    expect(left).toEqual([{ min: 3n }]);
    expect(await pruneAudit(pool)).toBe(0n);
  });

  test('does not go below thirty days, whatever is set', async () => {
    const id = await tenant('demo');
    await pool.query(`update tenant set registration = '{"auditRetentionDays": 1}'`);
    await append(2, { tenant: id });
    await age(id);
    expect(await pruneAudit(pool)).toBe(1n);
    expect(await faults(id)).toEqual([]);
    await expect(pool.query('select audit_prune($1, 0, 100)', [id])).rejects.toThrow('older than thirty days');
  });

  test('is seen through when it is only pretended: an anchor that was made up', async () => {
    await append(5);
    await tamper(
      `insert into audit_anchor (chain_id, sequence, hash, count) values (0, 2, sha256(''), 2)`,
      'delete from audit_entry where sequence <= 2',
    );
    expect(await faults()).toEqual([{ sequence: 3n, fault: 'unlinked' }]);
  });
});
