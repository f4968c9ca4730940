-- The ledger. All amounts are nano-euro in bigint (9.2 billion euro). Tables are written by the ledger_* functions only.
-- docs/ledger.md tells the whole of it in words.

-- A tenant's account: the one its grants are on, and that every request of the tenant is held against.
create table account (
  id bigint generated always as identity primary key,
  tenant_id bigint not null unique references tenant,
  created_at timestamptz not null default now()
);

-- One row per account, locked by everything that moves money on it or on an account below it (a user's, a key's): that
-- lock is the order of events. Where a statement needs several, it takes them in the order of their ids.
--   granted   all grants ever, less what lapsed or was taken back      posted  all that was billed within grants
--   held      the live holds                 overrun   billed beyond a hold; outside of the budget, for an alarm
-- The first check is invariant 1: no statement, however it comes about, can commit an overspent balance.
--   due_at        nothing happens by itself before this instant: the period's end, or the expiry of a lot before it
--   plan_target   what the plan gives per period       plan_granted  given in this period, less what was taken back
--   restored      given back by resets in this period
--   unsettled     money is to be taken back as soon as live holds free it (ledger_trim)
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
  due_at timestamptz not null,
  posted_before bigint not null default 0 check (posted_before between 0 and posted),
  overrun_before bigint not null default 0 check (overrun_before between 0 and overrun),
  restored bigint not null default 0 check (restored >= 0),
  plan_target bigint not null default 0 check (plan_target >= 0),
  plan_granted bigint not null default 0 check (plan_granted >= 0),
  unsettled boolean not null default false,
  constraint never_overspent check (posted + held <= granted),
  constraint due_within_period check (due_at <= period_ends_at)
) with (fillfactor = 50);

-- What a user or a key has cost in a period; the first request of a period makes the row, so nothing has to be reset.
-- A hold counts in the period it was made in, whenever it ends. The chat's own key has none: its users have.
--   wished  what may be spent (null: no limit of its own)
--   budget  the same, or what was posted and held already when a lower limit was set: the check that binds the database
create table sub_balance (
  subject_id uuid not null,
  period text not null check (period ~ '^\d{4}-\d{2}$'),
  account_id bigint not null references account,
  kind text not null check (kind in ('user', 'key')),
  wished bigint check (wished >= 0),
  budget bigint check (budget >= wished),
  posted bigint not null default 0 check (posted >= 0),
  held bigint not null default 0 check (held >= 0),
  primary key (subject_id, period),
  constraint never_overspent check (posted + held <= budget),
  constraint a_limit_is_both check ((wished is null) = (budget is null))
) with (fillfactor = 50);
create index sub_balance_account on sub_balance (account_id, period);

-- One row per request id: what was decided of it, once. terms is the snapshot it will be billed by: model, call,
-- bounds, unit prices of every model it may reach, rate and margin. A refused request keeps its row, so that the same
-- question gets the same answer; so does a void that came before its authorise.
-- Here and in the lines below there is no foreign key to account: its check would lock and write the account's row for
-- every request, and whoever inserts holds the lock of that account's balance, which has one.
create table hold (
  account_id bigint not null,
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
  -- The lease that the call was made within; a lease is a hold too, and names itself.
  lease_id uuid,
  terms jsonb,
  created_at timestamptz not null,
  closed_at timestamptz,
  primary key (account_id, request_id),
  check (state <> 'held' or (expires_at is not null and payload is not null and closed_at is null)),
  constraint only_a_lease_has_no_terms check (state <> 'held' or (terms is null) = (lease_id is not distinct from request_id))
) with (fillfactor = 70);
create index hold_overdue on hold (account_id, expires_at) where state = 'held';

-- One row per thing an administrator, a payment or the plan did, each under a key of its own.
create table ledger_grant (
  id uuid primary key default gen_random_uuid(),
  account_id bigint not null references account,
  idempotency_key text not null,
  payload bytea not null check (octet_length(payload) = 32),
  source text not null check (source in ('plan', 'top_up', 'promotion', 'correction')),
  amount bigint not null,
  priority integer not null,
  expires_at timestamptz,
  note text,
  period text not null,
  sequence bigint not null,
  created_at timestamptz not null,
  unique (account_id, idempotency_key),
  constraint only_a_correction_takes check (amount >= 0 or source = 'correction')
);
create unique index ledger_grant_page on ledger_grant (account_id, sequence);

-- Money that a grant brought, as long as it lasts. Lots are spent in the order of priority (lower first), expiry,
-- age. One that has expired is spent before all others, but only by holds that were made before it expired; what they
-- do not need lapses. The remaining money of all lots is granted - posted.
create table lot (
  id bigint generated always as identity primary key,
  account_id bigint not null references account,
  -- No foreign key: its check wants the right to lock a row of ledger_grant, which nobody has. ledger_faults looks.
  grant_id uuid not null,
  source text not null check (source in ('plan', 'top_up', 'promotion', 'correction')),
  priority integer not null,
  -- The period it lapses with, for what a plan gives: should the period's end move, so does the expiry.
  period text,
  expires_at timestamptz,
  amount bigint not null check (amount > 0),
  remaining bigint not null check (remaining between 0 and amount),
  expired boolean not null default false,
  closed boolean not null default false,
  check (not closed or remaining = 0),
  check (not expired or expires_at is not null),
  check (period is null or expires_at is not null)
) with (fillfactor = 50);
create index lot_open on lot (account_id) where not closed;

-- Takes back a posting, or part of one: the cost was wrong. Or a grant: its payment failed.
create table ledger_reversal (
  id uuid primary key default gen_random_uuid(),
  account_id bigint not null references account,
  idempotency_key text not null,
  payload bytea not null check (octet_length(payload) = 32),
  reverses bigint not null,
  amount bigint not null check (amount > 0),
  note text,
  period text not null,
  sequence bigint not null,
  created_at timestamptz not null,
  unique (account_id, idempotency_key)
);
create unique index ledger_reversal_page on ledger_reversal (account_id, sequence);
create index ledger_reversal_of on ledger_reversal (account_id, reverses);

-- Append-only. Each line tells what moved and what the balance was after it, so the history explains itself:
--   grant  granted + amount (a correction may be negative)    lapse   granted - amount
--   hold   held + amount        void, expire  held - amount
--   lease  held + amount: for a gateway, in advance
--   draw   held - amount: out of a lease, for the request's own hold that follows
--   post   posted + amount, held - released    overrun  overrun + amount
--   refund posted - amount: reverses a post     revoke  granted - amount: reverses a grant
--   refuse nothing moves; amount is what was asked, scope whose budget it exceeded, with that budget's own figures
-- lots and drawn say which lots money was taken from (negative: given back to), on every line that moves some.
create table ledger_entry (
  account_id bigint not null,
  sequence bigint not null check (sequence > 0),
  at timestamptz not null,
  kind text not null check (kind in
    ('grant', 'lapse', 'lease', 'hold', 'draw', 'post', 'void', 'expire', 'refuse', 'overrun', 'refund', 'revoke')),
  period text not null,
  request_id uuid,
  member_id uuid,
  key_id uuid,
  amount bigint not null check (amount >= 0 or kind = 'grant'),
  released bigint not null default 0 check (released >= 0),
  granted_after bigint not null check (granted_after >= 0),
  posted_after bigint not null check (posted_after >= 0),
  held_after bigint not null check (held_after >= 0),
  overrun_after bigint not null check (overrun_after >= 0),
  reason text,
  scope text check (scope in ('tenant', 'user', 'key')),
  scope_budget bigint,
  scope_posted bigint,
  scope_held bigint,
  reverses bigint,
  lots bigint[],
  drawn bigint[],
  primary key (account_id, sequence),
  constraint never_overspent check (posted_after + held_after <= granted_after),
  constraint only_a_post_releases check (released = 0 or kind = 'post'),
  constraint a_post_stays_in_its_hold check (released = 0 or amount <= released),
  constraint a_refusal_was_right check (kind <> 'refuse' or case scope
    when 'tenant' then posted_after + held_after + amount > granted_after
      and (reason = 'spent') = (posted_after + amount > granted_after)
    else scope_posted + scope_held + amount > scope_budget
      and (reason = 'spent') = (scope_posted + amount > scope_budget) end is true),
  constraint a_reversal_names_its_line check ((kind in ('refund', 'revoke')) = (reverses is not null)),
  constraint lots_are_drawn check (cardinality(lots) is not distinct from cardinality(drawn))
);
-- Each thing happens to a request at most once: above all, it is billed once.
create unique index ledger_entry_once on ledger_entry (account_id, request_id, kind)
  where request_id is not null and kind <> 'refund';

create table usage_line (
  account_id bigint not null,
  request_id uuid not null,
  sequence bigint not null,
  at timestamptz not null,
  period text not null,
  settlement bytea not null check (octet_length(settlement) = 32),
  late boolean not null,
  finish text not null check (finish in ('complete', 'interrupted')),
  cache_hit boolean not null,
  model_served text not null,
  input_tokens bigint not null check (input_tokens >= 0),
  cached_input_tokens bigint not null check (cached_input_tokens >= 0),
  cache_write_tokens bigint not null check (cache_write_tokens >= 0),
  audio_input_tokens bigint not null check (audio_input_tokens >= 0),
  output_tokens bigint not null check (output_tokens >= 0),
  audio_output_tokens bigint not null check (audio_output_tokens >= 0),
  images bigint not null check (images >= 0),
  provider_total_tokens bigint check (provider_total_tokens >= 0),
  max_output_tokens bigint not null,
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
create trigger ledger_reversal_append_only before update or delete or truncate on ledger_reversal
  for each statement execute function refuse_change();
create trigger usage_line_append_only before update or delete or truncate on usage_line
  for each statement execute function refuse_change();
revoke update, delete, truncate on ledger_entry, ledger_grant, ledger_reversal, usage_line from public, current_user;
