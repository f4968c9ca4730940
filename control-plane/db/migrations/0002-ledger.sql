-- The ledger. All amounts are nano-euro in bigint (9.2 billion euro). Tables are written by the ledger_* functions only.

-- kind user and key are for sub-budgets; a tenant's own account is the one every request is held against.
create table account (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenant,
  kind text not null check (kind in ('tenant', 'user', 'key')),
  subject_id uuid,
  created_at timestamptz not null default now(),
  check ((kind = 'tenant') = (subject_id is null)),
  unique nulls not distinct (tenant_id, kind, subject_id)
);

-- One row per account, locked by everything that moves money on it: that lock is the account's order of events.
--   granted   all grants ever, less what lapsed        posted  all that was billed within grants
--   held      the live holds                           overrun billed beyond a hold; outside of the budget, for an alarm
-- The first check is invariant 1: no statement, however it comes about, can commit an overspent balance.
--
-- A plan's grant is spent before other grants and lapses with its period; top-ups stay. To know what lapses:
--   plan_target   what the plan gives per period       plan_granted  given in this period, less what was taken back
--   plan_left     of that, not yet posted
-- A hold may outlive its period. Then the old plan's money still covers it, and lapses when the hold ends:
--   earlier_held  live holds of earlier periods        earlier_plan  old plan money that covers them
create table balance (
  account_id bigint primary key references account,
  granted bigint not null default 0 check (granted >= 0),
  posted bigint not null default 0 check (posted >= 0),
  held bigint not null default 0 check (held >= 0),
  overrun bigint not null default 0 check (overrun >= 0),
  sequence bigint not null default 0 check (sequence >= 0),
  changed_at timestamptz not null default '-infinity',
  period text not null check (period ~ '^\d{4}-\d{2}$'),
  period_ends_at timestamptz not null,
  posted_before bigint not null default 0 check (posted_before between 0 and posted),
  overrun_before bigint not null default 0 check (overrun_before between 0 and overrun),
  restored bigint not null default 0 check (restored between 0 and posted - posted_before),
  plan_target bigint not null default 0 check (plan_target >= 0),
  plan_granted bigint not null default 0 check (plan_granted >= 0),
  plan_left bigint not null default 0 check (plan_left between 0 and plan_granted),
  earlier_held bigint not null default 0 check (earlier_held between 0 and held),
  earlier_plan bigint not null default 0 check (earlier_plan between 0 and earlier_held),
  constraint never_overspent check (posted + held <= granted),
  constraint plan_within_grants check (posted + plan_left + earlier_plan <= granted)
) with (fillfactor = 50);

-- One row per request id: what was decided of it, once. terms is the snapshot it will be billed by: model, call,
-- bounds, unit prices of every model it may reach, rate and margin. A refused request keeps its row, so that the same
-- question gets the same answer; so does a void that came before its authorise.
create table hold (
  account_id bigint not null references account,
  request_id uuid not null,
  payload bytea check (octet_length(payload) = 32),
  state text not null check (state in ('held', 'posted', 'voided', 'expired', 'refused')),
  reason text,
  amount bigint not null check (amount >= 0),
  max_output_tokens bigint not null default 0,
  period text not null,
  expires_at timestamptz,
  member_id uuid,
  key_id uuid,
  trace_id text,
  terms jsonb,
  created_at timestamptz not null,
  closed_at timestamptz,
  primary key (account_id, request_id),
  check (state <> 'held' or (expires_at is not null and terms is not null and payload is not null and closed_at is null))
) with (fillfactor = 70);
create index hold_overdue on hold (account_id, expires_at) where state = 'held';
create index hold_sweep on hold (expires_at) where state = 'held';

create table ledger_grant (
  id uuid primary key default gen_random_uuid(),
  account_id bigint not null references account,
  idempotency_key text not null,
  payload bytea not null check (octet_length(payload) = 32),
  source text not null check (source in ('plan', 'top_up', 'promotion', 'correction')),
  amount bigint not null,
  note text,
  period text not null,
  sequence bigint not null,
  created_at timestamptz not null,
  unique (account_id, idempotency_key),
  constraint only_a_correction_takes check (amount >= 0 or source = 'correction')
);
create unique index ledger_grant_page on ledger_grant (account_id, sequence);

-- Append-only. Each line tells what moved and what the balance was after it, so the history explains itself:
--   grant  granted + amount (a correction may be negative)    lapse   granted - amount
--   hold   held + amount        void, expire  held - amount
--   post   posted + amount, held - released    overrun  overrun + amount
--   refuse nothing moves; amount is what was asked
create table ledger_entry (
  account_id bigint not null references account,
  sequence bigint not null check (sequence > 0),
  at timestamptz not null,
  kind text not null check (kind in ('grant', 'lapse', 'hold', 'post', 'void', 'expire', 'refuse', 'overrun')),
  period text not null,
  request_id uuid,
  amount bigint not null check (amount >= 0 or kind = 'grant'),
  released bigint not null default 0 check (released >= 0),
  granted_after bigint not null check (granted_after >= 0),
  posted_after bigint not null check (posted_after >= 0),
  held_after bigint not null check (held_after >= 0),
  overrun_after bigint not null check (overrun_after >= 0),
  reason text,
  primary key (account_id, sequence),
  constraint never_overspent check (posted_after + held_after <= granted_after),
  constraint only_a_post_releases check (released = 0 or kind = 'post'),
  constraint a_post_stays_in_its_hold check (released = 0 or amount <= released),
  constraint a_refusal_was_right check (kind <> 'refuse' or posted_after + held_after + amount > granted_after)
);
-- Each thing happens to a request at most once: above all, it is billed once.
create unique index ledger_entry_once on ledger_entry (account_id, request_id, kind) where request_id is not null;

create table usage_line (
  account_id bigint not null references account,
  request_id uuid not null,
  sequence bigint not null,
  at timestamptz not null,
  settlement bytea not null check (octet_length(settlement) = 32),
  late boolean not null,
  finish text not null check (finish in ('complete', 'interrupted')),
  cache_hit boolean not null,
  model_served text not null,
  input_tokens bigint not null check (input_tokens >= 0),
  cached_input_tokens bigint not null check (cached_input_tokens >= 0),
  cache_write_tokens bigint not null check (cache_write_tokens >= 0),
  output_tokens bigint not null check (output_tokens >= 0),
  images bigint not null check (images >= 0),
  hold bigint not null check (hold >= 0),
  cost bigint not null check (cost >= 0),
  margin bigint not null check (margin >= 0),
  total bigint not null,
  posted bigint not null check (posted >= 0),
  overrun bigint not null check (overrun >= 0),
  member_id uuid,
  key_id uuid,
  trace_id text,
  prices jsonb,
  terms jsonb not null,
  started_at timestamptz not null,
  first_token_at timestamptz,
  ended_at timestamptz not null,
  primary key (account_id, request_id),
  constraint total_is_cost_and_margin check (total = cost + margin),
  constraint total_is_posted_and_overrun check (total = posted + overrun)
);
create unique index usage_line_page on usage_line (account_id, sequence);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: write a new line that corrects the old one', tg_table_name using errcode = 'CF001';
end $$;
create trigger ledger_entry_append_only before update or delete or truncate on ledger_entry
  for each statement execute function refuse_change();
create trigger ledger_grant_append_only before update or delete or truncate on ledger_grant
  for each statement execute function refuse_change();
create trigger usage_line_append_only before update or delete or truncate on usage_line
  for each statement execute function refuse_change();
revoke update, delete, truncate on ledger_entry, ledger_grant, usage_line from public, current_user;
