-- Every movement of money. Each public function is one statement for its caller, hence one transaction and one round
-- trip: it locks the account's balance, moves it in a variable, writes the lines, stores the balance once.
-- p_now is for tests and simulations; null means the database's clock, read after the lock is ours.

create function period_of(at timestamptz, zone text) returns text language sql stable
  return to_char(at at time zone zone, 'YYYY-MM');

create function period_end(period text, zone text) returns timestamptz language sql stable
  return ((period || '-01')::timestamp + interval '1 month') at time zone zone;

-- Writes one line and moves the balance in memory by it.
create function ledger_book(
  b balance, kind text, amount bigint, released bigint, request uuid, reason text
) returns balance language plpgsql as $$
begin
  case kind
    when 'grant' then b.granted := b.granted + amount;
    when 'lapse' then b.granted := b.granted - amount;
    when 'hold' then b.held := b.held + amount;
    when 'post' then
      b.posted := b.posted + amount;
      b.held := b.held - released;
    when 'void', 'expire' then b.held := b.held - amount;
    when 'overrun' then b.overrun := b.overrun + amount;
    when 'refuse' then null;
  end case;
  b.sequence := b.sequence + 1;
  insert into ledger_entry (account_id, sequence, at, kind, period, request_id, amount, released,
                            granted_after, posted_after, held_after, overrun_after, reason)
  values (b.account_id, b.sequence, b.changed_at, kind, b.period, request, amount, released,
          b.granted, b.posted, b.held, b.overrun, reason);
  return b;
end $$;

create function ledger_store(b balance) returns void language plpgsql as $$
begin
  update balance set
    granted = b.granted, posted = b.posted, held = b.held, overrun = b.overrun, sequence = b.sequence,
    changed_at = b.changed_at, period = b.period, period_ends_at = b.period_ends_at,
    posted_before = b.posted_before, overrun_before = b.overrun_before, restored = b.restored,
    plan_target = b.plan_target, plan_granted = b.plan_granted, plan_left = b.plan_left,
    earlier_held = b.earlier_held, earlier_plan = b.earlier_plan
  where account_id = b.account_id;
end $$;

-- Takes back what the plan no longer gives: old plan money whose holds have ended, and what a lowered plan gave too
-- much, as far as it is neither posted nor held.
create function ledger_trim(b balance) returns balance language plpgsql as $$
declare
  surplus bigint;
begin
  if b.earlier_plan > b.earlier_held then
    surplus := b.earlier_plan - b.earlier_held;
    b.earlier_plan := b.earlier_held;
    b := ledger_book(b, 'lapse', surplus, 0, null, 'period_ended');
  end if;
  if b.plan_granted > b.plan_target then
    surplus := least(b.plan_granted - b.plan_target, b.plan_left, b.granted - b.posted - b.held);
    if surplus > 0 then
      b.plan_granted := b.plan_granted - surplus;
      b.plan_left := b.plan_left - surplus;
      b := ledger_book(b, 'lapse', surplus, 0, null, 'plan_lowered');
    end if;
  end if;
  return b;
end $$;

-- Grants what the plan gives in this period and has not given yet. Once per period: the key says which.
create function ledger_fill_plan(b balance) returns balance language plpgsql as $$
declare
  missing bigint := b.plan_target - b.plan_granted;
  first boolean := not exists (
    select 1 from ledger_grant g where g.account_id = b.account_id and g.idempotency_key = 'plan:' || b.period);
begin
  if missing > 0 then
    b.plan_granted := b.plan_granted + missing;
    b.plan_left := b.plan_left + missing;
    b := ledger_book(b, 'grant', missing, 0, null, 'plan');
    insert into ledger_grant (account_id, idempotency_key, payload, source, amount, period, sequence, created_at)
    values (b.account_id, 'plan:' || b.period || case when first then '' else ':' || b.sequence end,
            sha256(convert_to(missing::text, 'UTF8')), 'plan', missing, b.period, b.sequence, b.changed_at);
  end if;
  return b;
end $$;

-- Locks the account, and begins its new period where one is due: no job resets anything.
create function ledger_lock(p_account bigint, p_now timestamptz) returns balance language plpgsql as $$
declare
  b balance;
  zone text;
  plan_money bigint;
begin
  select * into strict b from balance where account_id = p_account for update;
  b.changed_at := greatest(coalesce(p_now, clock_timestamp()), b.changed_at);
  if b.changed_at < b.period_ends_at then
    return b;
  end if;
  select t.time_zone into strict zone from account a join tenant t on t.id = a.tenant_id where a.id = p_account;
  plan_money := b.plan_left + b.earlier_plan;
  b.earlier_held := b.held;
  b.earlier_plan := least(plan_money, b.held);
  b.plan_left := 0;
  b.plan_granted := 0;
  if plan_money > b.earlier_plan then
    b := ledger_book(b, 'lapse', plan_money - b.earlier_plan, 0, null, 'period_ended');
  end if;
  b.period := greatest(b.period, period_of(b.changed_at, zone));
  b.period_ends_at := period_end(b.period, zone);
  b.posted_before := b.posted;
  b.overrun_before := b.overrun;
  b.restored := 0;
  b := ledger_fill_plan(b);
  perform ledger_store(b);
  return b;
end $$;

-- Opens the tenant's account where it has none, and gives it what its plan now gives.
create function ledger_set_plan(p_tenant bigint, p_target bigint, p_now timestamptz) returns bigint
language plpgsql as $$
declare
  account bigint;
  zone text;
  at timestamptz := coalesce(p_now, clock_timestamp());
  b balance;
begin
  select t.time_zone into strict zone from tenant t where t.id = p_tenant for update;
  select a.id into account from account a where a.tenant_id = p_tenant and a.kind = 'tenant';
  if account is null then
    insert into account (tenant_id, kind) values (p_tenant, 'tenant') returning id into account;
    insert into balance (account_id, period, period_ends_at)
    values (account, period_of(at, zone), period_end(period_of(at, zone), zone));
  end if;
  b := ledger_lock(account, p_now);
  b.period_ends_at := period_end(b.period, zone);
  b.plan_target := p_target;
  b := ledger_trim(ledger_fill_plan(b));
  perform ledger_store(b);
  return account;
end $$;

-- outcome: created, replayed, conflict (the key was used for something else), or insufficient (a correction may take
-- only what is neither posted nor held; amount is then what it could take).
create type grant_result as (
  outcome text, id uuid, source text, amount bigint, note text, period text, sequence bigint, created_at timestamptz
);

create function ledger_add_grant(
  p_account bigint, p_key text, p_payload bytea, p_source text, p_amount bigint, p_note text, p_now timestamptz
) returns grant_result language plpgsql as $$
declare
  b balance := ledger_lock(p_account, p_now);
  g ledger_grant;
  from_plan bigint;
begin
  select * into g from ledger_grant where account_id = p_account and idempotency_key = p_key;
  if found then
    return (case when g.payload = p_payload then 'replayed' else 'conflict' end,
            g.id, g.source, g.amount, g.note, g.period, g.sequence, g.created_at)::grant_result;
  end if;
  if p_amount is null then
    -- A reset gives back what this period has cost so far; the part that came from the plan will lapse with it.
    p_amount := b.posted - b.posted_before - b.restored;
    from_plan := least(p_amount, b.plan_granted - b.plan_left);
    b.restored := b.restored + p_amount;
    b.plan_left := b.plan_left + from_plan;
  elsif p_amount < 0 then
    if b.granted + p_amount < b.posted + b.held then
      return ('insufficient', null, p_source, b.granted - b.posted - b.held, null, null, null, null)::grant_result;
    end if;
    -- Top-ups pay for it first; what they cannot give comes from the plan's money.
    b.plan_left := b.plan_left - greatest(0, b.posted + b.plan_left + b.earlier_plan - b.granted - p_amount);
  end if;
  b := ledger_book(b, 'grant', p_amount, 0, null, p_source);
  insert into ledger_grant (account_id, idempotency_key, payload, source, amount, note, period, sequence, created_at)
  values (p_account, p_key, p_payload, p_source, p_amount, p_note, b.period, b.sequence, b.changed_at) returning * into g;
  b := ledger_trim(b);
  perform ledger_store(b);
  return ('created', g.id, g.source, g.amount, g.note, g.period, g.sequence, g.created_at)::grant_result;
end $$;

-- Ends the account's overdue holds. All of them: one that stayed would wrongly refuse somebody.
create function ledger_expire_overdue(b balance) returns balance language plpgsql as $$
declare
  h record;
begin
  for h in
    update hold set state = 'expired', closed_at = b.changed_at
    where account_id = b.account_id and state = 'held' and expires_at <= b.changed_at
    returning request_id, amount, period
  loop
    if h.period <> b.period then
      b.earlier_held := b.earlier_held - h.amount;
    end if;
    b := ledger_book(b, 'expire', h.amount, 0, h.request_id, null);
    b := ledger_trim(b);
  end loop;
  return b;
end $$;

-- The same for an account nobody calls on. Returns how many holds it ended.
create function ledger_sweep(p_account bigint, p_now timestamptz) returns bigint language plpgsql as $$
declare
  b balance := ledger_lock(p_account, p_now);
  overdue bigint;
begin
  select count(*) into overdue from hold
  where account_id = p_account and state = 'held' and expires_at <= b.changed_at;
  if overdue > 0 then
    perform ledger_store(ledger_expire_overdue(b));
  end if;
  return overdue;
end $$;

-- The user a chat key speaks for: found by the chat's id, else by address, else made.
create function member_of_chat(p_tenant bigint, p_user jsonb) returns uuid language plpgsql as $$
declare
  m member;
  wanted_role text := coalesce(p_user ->> 'role', 'user');
begin
  select * into m from member where tenant_id = p_tenant and external_id = p_user ->> 'externalId';
  if not found then
    insert into member (tenant_id, external_id, email, name, role)
    values (p_tenant, p_user ->> 'externalId', p_user ->> 'email', p_user ->> 'name', wanted_role)
    on conflict do nothing returning * into m;
    if found then
      return m.id;
    end if;
    update member set external_id = p_user ->> 'externalId', name = coalesce(p_user ->> 'name', name)
    where tenant_id = p_tenant and lower(email) = lower(p_user ->> 'email') and external_id is null returning * into m;
    if not found then
      -- Someone else was quicker, or the address now belongs to another chat account: that one keeps the address.
      insert into member (tenant_id, external_id, name, role)
      values (p_tenant, p_user ->> 'externalId', p_user ->> 'name', wanted_role)
      on conflict (tenant_id, external_id) do update set name = excluded.name returning * into m;
    end if;
  end if;
  if (m.name, m.role) is distinct from (coalesce(p_user ->> 'name', m.name), coalesce(p_user ->> 'role', m.role)) then
    update member set name = coalesce(p_user ->> 'name', name), role = coalesce(p_user ->> 'role', role) where id = m.id;
  end if;
  return m.id;
end $$;

-- outcome: granted, refused (reason busy or spent), stale (price it again), key_unknown, conflict (other payload),
-- or the state that makes a grant impossible: already_voided, already_posted, already_expired.
create type authorise_result as (
  outcome text, reason text, amount bigint, max_output_tokens bigint, expires_at timestamptz, resets_at timestamptz,
  granted bigint, posted bigint, held bigint, next_expiry timestamptz, replayed boolean
);

create function ledger_authorise(
  p_account bigint, p_tenant bigint, p_tenant_revision bigint, p_catalogue_revision bigint,
  p_request uuid, p_payload bytea, p_key bytea, p_user jsonb, p_amount bigint, p_max_output_tokens bigint,
  p_terms jsonb, p_hold_ms bigint, p_trace text, p_now timestamptz
) returns authorise_result language plpgsql as $$
declare
  k record;
  h hold;
  e ledger_entry;
  b balance;
  v_member uuid;
  v_expires timestamptz;
  v_reason text;
  v_next timestamptz;
begin
  select id, kind, member_id into k from api_key
  where sha256 = p_key and tenant_id = p_tenant and revoked_at is null
    and (expires_at is null or expires_at > coalesce(p_now, clock_timestamp()));
  if not found then
    return ('key_unknown', null, null, null, null, null, null, null, null, null, null)::authorise_result;
  end if;

  b := ledger_lock(p_account, p_now);
  select * into h from hold where account_id = p_account and request_id = p_request;
  if found then
    if h.payload is null then
      return ('already_voided', h.reason, null, null, null, null, null, null, null, null, true)::authorise_result;
    elsif h.payload <> p_payload then
      return ('conflict', null, null, null, null, null, null, null, null, null, null)::authorise_result;
    elsif h.state = 'held' and h.expires_at > b.changed_at then
      return ('granted', null, h.amount, h.max_output_tokens, h.expires_at, b.period_ends_at,
              b.granted, b.posted, b.held, null, true)::authorise_result;
    elsif h.state = 'refused' then
      select * into strict e from ledger_entry
      where account_id = p_account and request_id = p_request and kind = 'refuse';
      return ('refused', h.reason, h.amount, null, null, b.period_ends_at,
              e.granted_after, e.posted_after, e.held_after, null, true)::authorise_result;
    end if;
    return ('already_' || case h.state when 'held' then 'expired' else h.state end,
            null, null, null, null, null, null, null, null, null, null)::authorise_result;
  end if;

  if not exists (select 1 from tenant where id = p_tenant and revision = p_tenant_revision)
     or not exists (select 1 from catalogue where revision = p_catalogue_revision) then
    return ('stale', null, null, null, null, null, null, null, null, null, null)::authorise_result;
  end if;
  v_member := case when k.kind = 'chat' and p_user is not null then member_of_chat(p_tenant, p_user) else k.member_id end;

  if b.posted + b.held + p_amount > b.granted then
    b := ledger_expire_overdue(b);
  end if;
  if b.posted + b.held + p_amount <= b.granted then
    v_expires := b.changed_at + p_hold_ms * interval '1 millisecond';
    insert into hold (account_id, request_id, payload, state, amount, max_output_tokens, period, expires_at,
                      member_id, key_id, trace_id, terms, created_at)
    values (p_account, p_request, p_payload, 'held', p_amount, p_max_output_tokens, b.period, v_expires,
            v_member, k.id, p_trace, p_terms, b.changed_at);
    b := ledger_book(b, 'hold', p_amount, 0, p_request, null);
    perform ledger_store(b);
    return ('granted', null, p_amount, p_max_output_tokens, v_expires, b.period_ends_at,
            b.granted, b.posted, b.held, null, false)::authorise_result;
  end if;

  v_reason := case when b.posted + p_amount <= b.granted then 'busy' else 'spent' end;
  select min(expires_at) into v_next from hold where account_id = p_account and state = 'held';
  insert into hold (account_id, request_id, payload, state, reason, amount, period, member_id, key_id, trace_id,
                    created_at, closed_at)
  values (p_account, p_request, p_payload, 'refused', v_reason, p_amount, b.period, v_member, k.id, p_trace,
          b.changed_at, b.changed_at);
  b := ledger_book(b, 'refuse', p_amount, 0, p_request, v_reason);
  perform ledger_store(b);
  return ('refused', v_reason, p_amount, null, null, b.period_ends_at, b.granted, b.posted, b.held, v_next,
          false)::authorise_result;
end $$;

-- outcome: posted, replayed (the stored answer again), conflict (settled with other figures), unknown, or
-- not_authorised (refused, or voided before it was ever asked).
create type settle_result as (
  outcome text, late boolean, hold bigint, cost bigint, margin bigint, total bigint, posted bigint, overrun bigint,
  sequence bigint
);

create function ledger_settle(
  p_account bigint, p_request uuid, p_settlement bytea, p_model_served text,
  p_input bigint, p_cached bigint, p_cache_write bigint, p_output bigint, p_images bigint,
  p_cost bigint, p_margin bigint, p_prices jsonb, p_cache_hit boolean, p_finish text,
  p_started timestamptz, p_first_token timestamptz, p_ended timestamptz, p_trace text, p_now timestamptz
) returns settle_result language plpgsql as $$
declare
  b balance := ledger_lock(p_account, p_now);
  h hold;
  u usage_line;
  v_total bigint := p_cost + p_margin;
  v_post bigint;
  v_late boolean;
  v_sequence bigint;
begin
  select * into h from hold where account_id = p_account and request_id = p_request;
  if not found then
    return ('unknown', null, null, null, null, null, null, null, null)::settle_result;
  elsif h.state = 'posted' then
    select * into strict u from usage_line where account_id = p_account and request_id = p_request;
    return (case when u.settlement = p_settlement then 'replayed' else 'conflict' end,
            u.late, u.hold, u.cost, u.margin, u.total, u.posted, u.overrun, u.sequence)::settle_result;
  elsif h.terms is null then
    return ('not_authorised', null, null, null, null, null, null, null, null)::settle_result;
  end if;

  v_late := h.state <> 'held';
  if v_late then
    -- Its hold was given back already: bill it from what is free now, and what does not fit is an overrun.
    v_post := least(v_total, h.amount, b.granted - b.posted - b.held);
    b.plan_left := b.plan_left - least(b.plan_left, v_post);
    b := ledger_book(b, 'post', v_post, 0, p_request, 'late');
  else
    v_post := least(v_total, h.amount);
    if h.period = b.period then
      b.plan_left := b.plan_left - least(b.plan_left, v_post);
    else
      b.earlier_held := b.earlier_held - h.amount;
      b.earlier_plan := b.earlier_plan - least(b.earlier_plan, v_post);
    end if;
    b := ledger_book(b, 'post', v_post, h.amount, p_request, null);
  end if;
  v_sequence := b.sequence;
  if v_total > v_post then
    b := ledger_book(b, 'overrun', v_total - v_post, 0, p_request, case when v_late then 'late' else 'above_hold' end);
  end if;
  b := ledger_trim(b);
  update hold set state = 'posted', closed_at = b.changed_at where account_id = p_account and request_id = p_request;
  insert into usage_line (account_id, request_id, sequence, at, settlement, late, finish, cache_hit, model_served,
    input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, images, hold, cost, margin, total, posted,
    overrun, member_id, key_id, trace_id, prices, terms, started_at, first_token_at, ended_at)
  values (p_account, p_request, v_sequence, b.changed_at, p_settlement, v_late, p_finish, p_cache_hit, p_model_served,
    p_input, p_cached, p_cache_write, p_output, p_images, h.amount, p_cost, p_margin, v_total, v_post,
    v_total - v_post, h.member_id, h.key_id, coalesce(p_trace, h.trace_id), p_prices, h.terms - 'prices',
    p_started, p_first_token, p_ended);
  perform ledger_store(b);
  return ('posted', v_late, h.amount, p_cost, p_margin, v_total, v_post, v_total - v_post, v_sequence)::settle_result;
end $$;

-- outcome: the state the request is in afterwards. Before its authorise, a void leaves a tombstone that refuses it.
create function ledger_void(p_account bigint, p_request uuid, p_reason text, p_now timestamptz) returns text
language plpgsql as $$
declare
  b balance := ledger_lock(p_account, p_now);
  h hold;
begin
  select * into h from hold where account_id = p_account and request_id = p_request;
  if not found then
    insert into hold (account_id, request_id, state, reason, amount, period, created_at, closed_at)
    values (p_account, p_request, 'voided', p_reason, 0, b.period, b.changed_at, b.changed_at);
    return 'voided';
  elsif h.state <> 'held' then
    return h.state;
  end if;
  update hold set state = 'voided', reason = p_reason, closed_at = b.changed_at
  where account_id = p_account and request_id = p_request;
  if h.period <> b.period then
    b.earlier_held := b.earlier_held - h.amount;
  end if;
  b := ledger_book(b, 'void', h.amount, 0, p_request, p_reason);
  b := ledger_trim(b);
  perform ledger_store(b);
  return 'voided';
end $$;

-- The period's view of the balance. Takes the lock only when a new period has to begin.
create function ledger_budget(p_account bigint, p_now timestamptz) returns balance language plpgsql as $$
declare
  b balance;
begin
  select * into strict b from balance where account_id = p_account;
  if coalesce(p_now, clock_timestamp()) >= b.period_ends_at then
    b := ledger_lock(p_account, p_now);
  end if;
  return b;
end $$;

-- Recomputes every balance from its lines alone, and looks for anything that does not add up. No row: all is well.
create view ledger_faults as
with line as (
  select e.*,
    row_number() over w as ordinal,
    sum(case kind when 'grant' then amount when 'lapse' then -amount else 0 end) over w as granted,
    sum(case kind when 'post' then amount else 0 end) over w as posted,
    sum(case kind when 'hold' then amount when 'post' then -released when 'void' then -amount
             when 'expire' then -amount else 0 end) over w as held,
    sum(case kind when 'overrun' then amount else 0 end) over w as overrun
  from ledger_entry e window w as (partition by account_id order by sequence)
), last as (
  select distinct on (account_id) * from line order by account_id, sequence desc
), live as (
  select account_id, sum(amount) as held from hold where state = 'held' group by account_id
)
select account_id, 'line ' || sequence || ' does not follow from the lines before it' as fault from line
where ordinal <> sequence or granted <> granted_after or posted <> posted_after or held <> held_after
   or overrun <> overrun_after
union all
select b.account_id, 'the balance is not what its lines say' from balance b left join last l using (account_id)
where (b.granted, b.posted, b.held, b.overrun, b.sequence) is distinct from
      (coalesce(l.granted_after, 0), coalesce(l.posted_after, 0), coalesce(l.held_after, 0),
       coalesce(l.overrun_after, 0), coalesce(l.sequence, 0))
union all
select b.account_id, 'held is not the sum of the live holds' from balance b left join live using (account_id)
where b.held <> coalesce(live.held, 0)
union all
select h.account_id, 'request ' || h.request_id || ' has no single end'
from hold h left join ledger_entry e using (account_id, request_id)
group by h.account_id, h.request_id, h.state, h.payload
having h.payload is not null and (
     count(*) filter (where e.kind = 'hold') <> (h.state <> 'refused')::int
  or count(*) filter (where e.kind = 'refuse') <> (h.state = 'refused')::int
  or count(*) filter (where e.kind = 'post') <> (h.state = 'posted')::int
  or count(*) filter (where e.kind in ('void', 'expire')) > (h.state in ('voided', 'expired', 'posted'))::int
  or count(*) filter (where e.kind in ('void', 'expire')) < (h.state in ('voided', 'expired'))::int)
union all
select u.account_id, 'request ' || u.request_id || ' was billed otherwise than its line says'
from usage_line u left join ledger_entry e
  on e.account_id = u.account_id and e.request_id = u.request_id and e.kind in ('post', 'overrun')
group by u.account_id, u.request_id, u.total having u.total <> coalesce(sum(e.amount), 0)
union all
select g.account_id, 'a grant has no line' from ledger_grant g left join ledger_entry e
  on e.account_id = g.account_id and e.sequence = g.sequence and e.kind = 'grant' and e.amount = g.amount
where e.sequence is null;

create function ledger_assert_balanced() returns void language plpgsql as $$
declare
  f record;
begin
  select * into f from ledger_faults limit 1;
  if found then
    raise exception 'account %: %', f.account_id, f.fault using errcode = 'CF002';
  end if;
end $$;
