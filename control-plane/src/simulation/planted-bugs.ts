import type pg from 'pg';
import type { GatewayFlaw } from './gateway.ts';

/** A mistake somebody could make, put into a database or a gateway of the test's own. */
export type PlantedBug = { readonly name: string } & (
  | { readonly function: string; readonly instead: string; readonly says: string }
  | { readonly flaw: GatewayFlaw }
);

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a settlement that comes twice is billed twice',
    function: 'ledger_apply',
    instead: `elsif h.state = 'posted' then`,
    says: 'elsif false then',
  },
  {
    name: 'a void before its authorise leaves no tombstone',
    function: 'ledger_apply',
    instead: `x.outcome := 'voided';\n        x.at := b.changed_at;\n        x.period := b.period;\n      elsif`,
    says: `x.outcome := 'voided';\n      elsif`,
  },
  {
    name: 'expiry ignores the clock: it ends holds that still live',
    function: 'ledger_expire_overdue',
    instead: `expires_at <= b.changed_at`,
    says: `expires_at <= b.changed_at + interval '1 hour'`,
  },
  {
    name: 'authorise forgets what is held',
    function: 'ledger_apply',
    instead: 'v_free := b.granted - b.posted - b.held;',
    says: 'v_free := b.granted - b.posted;',
  },
  {
    name: 'a batch looks at the balance before it, not at what it has held itself',
    function: 'ledger_apply',
    instead: 'v_free := b.granted - b.posted - b.held;',
    says: 'select w.granted - w.posted - w.held into v_free from unnest(v_balances) w where w.account_id = o.account;',
  },
  {
    name: 'a user’s budget is not looked at',
    function: 'ledger_apply',
    instead: 'v_user_free := s_wished[v_user] - s_posted[v_user] - s_held[v_user];',
    says: 'v_user_free := null;',
  },
  {
    name: 'a key’s expired hold stays in its budget',
    function: 'ledger_expire_overdue',
    instead: 'where subject_id in (h.member_id, h.key_id)',
    says: 'where subject_id in (h.member_id)',
  },
  {
    name: 'a late settlement frees its hold a second time',
    function: 'ledger_apply',
    instead: 'x.released := case when x.late then 0 else h.amount end;',
    says: 'x.released := h.amount;',
  },
  {
    name: 'a late settlement is billed beyond what is free',
    function: 'ledger_apply',
    instead: 'x.amount := greatest(0, least(x.amount, b.granted - b.posted - b.held,',
    says: 'x.amount := greatest(0, least(x.amount, b.granted - b.posted,',
  },
  {
    name: 'a request id used with other figures is answered as if it were the same',
    function: 'ledger_apply',
    instead: 'elsif h.payload <> o.payload then',
    says: 'elsif false then',
  },
  {
    name: 'months end in UTC, wherever the tenant lives',
    function: 'ledger_lock',
    instead: 'b.period_ends_at := period_end(b.period, v_zone);',
    says: `b.period_ends_at := period_end(b.period, 'UTC');`,
  },
  {
    name: 'last month’s money does not lapse',
    function: 'ledger_lock',
    instead: 'and expires_at <= b.changed_at;',
    says: 'and expires_at <= b.changed_at and period is null;',
  },
  {
    name: 'what a leased call cost is not taken from its lease',
    function: 'ledger_draw',
    instead: 'update hold set amount = amount - p_amount where',
    says: 'update hold set amount = amount where',
  },
  {
    name: 'a lease is as large as what is free',
    function: 'ledger_lease',
    instead: 'least(p_wished, v_free / p_share)',
    says: 'least(p_wished, v_free)',
  },
  {
    name: 'a call within a lease that has ended is given a hold out of nothing',
    function: 'ledger_draw',
    instead: `v_in_time := l.state = 'held' and l.amount >= p_amount;`,
    says: 'v_in_time := true;',
  },
  { name: 'a gateway does not count what it spends of its lease', flaw: 'overspends_lease' },
  { name: 'the gateway calls a provider without an intent', flaw: 'no_intent' },
  { name: 'the relay takes an error for an acknowledgement', flaw: 'errors_acknowledge' },
  { name: 'the relay forgets a result before it is acknowledged', flaw: 'forgets_early' },
  { name: 'nobody rescues what a dead gateway left', flaw: 'no_rescue' },
];

/** Puts a bug of the SQL into this database. @throws when the function no longer says what the bug would change */
export async function plant(pool: pg.Pool, bug: PlantedBug): Promise<void> {
  if ('flaw' in bug) return;
  const { rows } = await pool.query<{ source: string }>(
    `select pg_get_functiondef(oid) as source from pg_proc where proname = $1 and pronamespace = 'public'::regnamespace`,
    [bug.function],
  );
  const source = rows[0]?.source ?? '';
  const parts = source.split(bug.instead);
  if (parts.length !== 2) {
    throw new Error(`"${bug.name}": ${bug.function} says "${bug.instead}" ${parts.length - 1} times, not once`);
  }
  await pool.query(parts.join(bug.says));
}
