import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudfreedom-pg-'));
  await chmod(folder, 0o711);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const start = () => startEmbeddedPostgres({ folder: join(folder, 'pg'), temporary: true, onLog: () => {} });

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('what was written is there after a stop and a start, with durability on and no port open', async () => {
  const first = await start();
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  const second = await start();
  try {
    expect(await query(second.url, 'table kept')).toEqual([{ answer: 42 }]);
    const settings = `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('listen_addresses') as listens, current_setting('is_superuser') as superuser`;
    expect(await query(second.url, settings)).toEqual([{ fsync: 'on', commit: 'on', listens: '', superuser: 'off' }]);
  } finally {
    await second.stop();
  }
});

test('a second start on the same folder is refused while the first runs, and harms nothing', async () => {
  const first = await start();
  try {
    await expect(start()).rejects.toThrow(/did not start.*postmaster.pid/s);
    expect(await query(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  } finally {
    await first.stop();
  }
});

test('a Node that is killed leaves no Postgres behind, and no row that it was told is safe is lost', async () => {
  const child = fork(join(import.meta.dirname, '../testing/postgres-until-killed.ts'), [join(folder, 'pg')], {
    silent: true,
  });
  const [written] = (await once(child, 'message')) as [number];
  const pidFile = await readFile(join(folder, 'pg/data/postmaster.pid'), 'utf8');
  const postmaster = Number(pidFile.split('\n')[0]);
  child.kill('SIGKILL');
  await expect.poll(() => alive(postmaster), { timeout: 20_000 }).toBe(false);
  const again = await start();
  try {
    const [row] = (await query(again.url, 'select count(*)::int as rows from acknowledged')) as [{ rows: number }];
    expect(row.rows).toBeGreaterThanOrEqual(written);
  } finally {
    await again.stop();
  }
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.runIf(process.getuid?.() === 0)('root runs it as somebody who may not write the product’s files', async () => {
  const postgres = await start();
  try {
    const pid = (await readFile(join(folder, 'pg/data/postmaster.pid'), 'utf8')).split('\n')[0] ?? '';
    const { stdout } = await promisify(execFile)('stat', ['-c', '%u', `/proc/${pid}`]);
    expect(Number(stdout)).not.toBe(0);
  } finally {
    await postgres.stop();
  }
});
