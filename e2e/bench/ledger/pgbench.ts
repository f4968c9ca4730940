import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { termsJson } from '@cloudfreedom/control-plane/ledger/terms.ts';
import { ensureDebianPackages } from '../../images/debian-packages.ts';
import type { Say } from '../../process/progress.ts';
import { run } from '../../process/run.ts';
import { BILLED, CONNECTIONS, HOLD, type LedgerRig, TENANTS, TERMS, USERS_PER_TENANT } from './rig.ts';

const VERSIONS = '/usr/lib/postgresql';
/** Threads of pgbench: one per core that a small machine has. */
const THREADS = 2;

/**
 * A pair as bare statements: the rows the ledger writes, without its checks (key, user, earlier answers, expiry, prices
 * and limits), one statement per table, in two transactions. What a program without batches cannot do without.
 */
function script(tenants: string): string {
  const member = `('00000000-0000-4000-8000-' || lpad(to_hex(:member::int), 12, '0'))::uuid`;
  const terms = termsJson(TERMS).replaceAll("'", "''");
  const prices = termsJson(TERMS.prices['gpt-4o-mini']);
  // A colon before a letter is a variable to pgbench.
  const literal = (json: string) => `'${json.replaceAll(':', ': ')}'`;
  return `
\\set account ${tenants}
\\set member :account * 1000 + random(0, ${USERS_PER_TENANT - 1})
begin;
update balance set held = held + ${HOLD}, sequence = sequence + 1, changed_at = clock_timestamp() where account_id = :account and posted + held + ${HOLD} <= granted returning sequence as line, granted, posted, held \\gset
update sub_balance set held = held + ${HOLD} where subject_id = ${member} and period = to_char(now() at time zone 'Europe/Berlin', 'YYYY-MM');
insert into hold (account_id, request_id, payload, state, amount, max_output_tokens, period, expires_at, member_id, terms, created_at) values (:account, gen_random_uuid(), sha256('x'), 'held', ${HOLD}, 4096, '2026-11', now() + interval '1 hour', ${member}, ${literal(terms)}, now()) returning request_id as request \\gset
insert into ledger_entry (account_id, sequence, at, kind, period, request_id, member_id, amount, granted_after, posted_after, held_after, overrun_after) values (:account, :line, now(), 'hold', '2026-11', :request, ${member}, ${HOLD}, :granted, :posted, :held, 0);
commit;
begin;
update balance set posted = posted + ${BILLED}, held = held - ${HOLD}, sequence = sequence + 1, changed_at = clock_timestamp() where account_id = :account returning sequence as line, granted, posted, held \\gset
update sub_balance set posted = posted + ${BILLED}, held = held - ${HOLD} where subject_id = ${member} and period = to_char(now() at time zone 'Europe/Berlin', 'YYYY-MM');
update lot set remaining = remaining - ${BILLED} where account_id = :account and not closed;
update hold set state = 'posted', closed_at = now() where account_id = :account and request_id = :request;
insert into ledger_entry (account_id, sequence, at, kind, period, request_id, member_id, amount, released, granted_after, posted_after, held_after, overrun_after) values (:account, :line, now(), 'post', '2026-11', :request, ${member}, ${BILLED}, ${HOLD}, :granted, :posted, :held, 0);
insert into usage_line (account_id, request_id, sequence, at, period, settlement, late, finish, cache_hit, model_served, input_tokens, cached_input_tokens, cache_write_tokens, audio_input_tokens, output_tokens, audio_output_tokens, images, max_output_tokens, hold, cost, margin, total, posted, overrun, member_id, prices, terms, started_at, ended_at) values (:account, :request, :line, now(), '2026-11', sha256('x'), false, 'complete', false, 'gpt-4o-mini', 900, 100, 0, 0, 500, 0, 0, 4096, ${HOLD}, 500000, 100000, ${BILLED}, ${BILLED}, 0, ${member}, ${literal(prices)}, ${literal(terms)}, now(), now());
commit;
`;
}

/** Debian's pgbench; the npm package of Postgres has none. */
async function pgbenchProgram(say: Say): Promise<string> {
  const find = async () => {
    const versions = existsSync(VERSIONS) ? (await readdir(VERSIONS)).sort((a, b) => Number(b) - Number(a)) : [];
    return versions.map((version) => path.join(VERSIONS, version, 'bin/pgbench')).find((file) => existsSync(file));
  };
  if ((await find()) === undefined) await ensureDebianPackages(['postgresql'], say);
  const program = await find();
  if (program === undefined) throw new Error(`Debian's package postgresql brought no pgbench below ${VERSIONS}`);
  return program;
}

/** @returns pairs per second over all tenants, or on the first one alone */
export async function pgbench(rig: LedgerRig, which: 'many' | 'hot', seconds: number, say: Say): Promise<number> {
  const program = await pgbenchProgram(say);
  const folder = await mkdtemp(path.join(tmpdir(), 'cloudfreedom-pgbench-'));
  try {
    const file = path.join(folder, 'pair.sql');
    await writeFile(file, script(which === 'many' ? `random(1, ${TENANTS})` : '1'));
    const url = new URL(rig.url.replace('@/', '@host/'));
    const { stdout } = await run(
      program,
      // biome-ignore format: one option per line would hide what is asked
      ['--no-vacuum', '-M', 'prepared', '-c', `${CONNECTIONS}`, '-j', `${THREADS}`, '-T', `${seconds}`, '-f', file,
        '-h', url.searchParams.get('host') ?? '', '-U', url.username, url.pathname.slice(1)],
      { env: { ...process.env, PGPASSWORD: decodeURIComponent(url.password) } },
    );
    const transactions = /tps = ([0-9.]+)/.exec(stdout);
    if (transactions?.[1] === undefined) throw new Error(`pgbench said nothing of tps:\n${stdout}`);
    return Math.round(Number(transactions[1]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
