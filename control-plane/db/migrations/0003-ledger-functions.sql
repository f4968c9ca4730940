-- Every movement of money that is not a request's: periods, grants, expiries, limits. (Requests: the next file.)
-- Each public function is one statement for its caller, hence one transaction and one round trip: it locks the
-- account's balance, moves it in a variable, writes the lines, stores the balance once.
-- p_now is for tests and simulations; null means the database's clock, read after the lock is ours.

create function period_of(at timestamptz, zone text) returns text language sql stable
  return to_char(at at time zone zone, 'YYYY-MM');

-- The first instant after the period. Where clocks go back at midnight of the first, as in Havana, midnight comes twice:
-- the first one counts.
create function period_end(period text, zone text) returns timestamptz language sql stable
  return (
    select min(t) from (select ((period || '-01')::timestamp + interval '1 month') at time zone zone as midnight) m,
      unnest(array[midnight - interval '1 hour', midnight - interval '30 minutes', midnight]) t
    where period_of(t, zone) > period);

-- Which money is spent first, where a grant does not say.
create function default_priority(source text) returns integer language sql immutable
  return case source when 'plan' then 10 when 'promotion' then 20 else 30 end;

-- Money taken from lots, or given back to them where negative.
create type lot_draw as (lots bigint[], drawn bigint[]);

-- Writes one line and moves the balance in memory by it.
create function ledger_book(
  b balance, kind text, amount bigint, reason text, draw lot_draw default null, h hold default null,
  reverses bigint default null
) returns balance language plpgsql as $$
begin
  case kind
    when 'grant' then b.granted := b.granted + amount;
    when 'lapse', 'revoke' then b.granted := b.granted - amount;
    when 'refund' then b.posted := b.posted - amount;
    when 'hold', 'lease' then b.held := b.held + amount;
    when 'expire', 'draw' then b.held := b.held - amount;
  end case;
  b.sequence := b.sequence + 1;
  insert into ledger_entry (account_id, sequence, at, kind, period, request_id, member_id, key_id, amount,
                            granted_after, posted_after, held_after, overrun_after, reason, reverses, lots, drawn)
  values (b.account_id, b.sequence, b.changed_at, kind, b.period, h.request_id, h.member_id, h.key_id, amount,
          b.granted, b.posted, b.held, b.overrun, reason, reverses, draw.lots, draw.drawn);
  return b;
end $$;

create function ledger_store(b balance) returns void language plpgsql as $$
begin
  update balance set
    granted = b.granted, posted = b.posted, held = b.held, overrun = b.overrun, sequence = b.sequence,
    changed_at = b.changed_at, period = b.period, period_ends_at = b.period_ends_at, due_at = b.due_at,
    posted_before = b.posted_before, overrun_before = b.overrun_before, restored = b.restored,
    plan_target = b.plan_target, plan_granted = b.plan_granted, unsettled = b.unsettled
  where account_id = b.account_id;
end $$;

-- Takes an amount out of lots, in the order given. They must have it.
create function lot_take(p_lots bigint[], p_amount bigint) returns lot_draw language plpgsql as $$
declare
  d lot_draw := ('{}', '{}');
  l lot;
  v_lot bigint;
  v_part bigint;
begin
  foreach v_lot in array p_lots loop
    exit when p_amount = 0;
    select * into strict l from lot where id = v_lot;
    v_part := least(p_amount, l.remaining);
    continue when v_part = 0;
    update lot set remaining = l.remaining - v_part, closed = l.remaining = v_part where id = v_lot;
    d.lots := d.lots || v_lot;
    d.drawn := d.drawn || v_part;
    p_amount := p_amount - v_part;
  end loop;
  if p_amount <> 0 then
    raise exception 'lots % lack % nano-euro', p_lots, p_amount using errcode = 'CF003';
  end if;
  return d;
end $$;

-- A grant with its line, and its lots where it brings money. p_period_part of it lapses with the period.
create function ledger_bring(
  b balance, p_key text, p_payload bytea, p_source text, p_amount bigint, p_period_part bigint, p_priority integer,
  p_expires timestamptz, p_note text, p_taken lot_draw
) returns balance language plpgsql as $$
declare
  v_grant uuid;
  v_lot bigint;
  d lot_draw := p_taken;
begin
  insert into ledger_grant (account_id, idempotency_key, payload, source, amount, priority, expires_at, note, period,
                            sequence, created_at)
  values (b.account_id, p_key, p_payload, p_source, p_amount, p_priority, p_expires, p_note, b.period,
          b.sequence + 1, b.changed_at) returning id into v_grant;
  if p_period_part > 0 then
    insert into lot (account_id, grant_id, source, priority, period, expires_at, amount, remaining)
    values (b.account_id, v_grant, p_source, default_priority('plan'), b.period, b.period_ends_at, p_period_part,
            p_period_part) returning id into v_lot;
    d := (array[v_lot], array[-p_period_part]);
  end if;
  if p_amount > p_period_part then
    insert into lot (account_id, grant_id, source, priority, expires_at, amount, remaining)
    values (b.account_id, v_grant, p_source, p_priority, p_expires, p_amount - p_period_part,
            p_amount - p_period_part) returning id into v_lot;
    d := (coalesce(d.lots, '{}') || v_lot, coalesce(d.drawn, '{}') || p_period_part - p_amount);
    b.due_at := least(b.due_at, p_expires);
  end if;
  return ledger_book(b, 'grant', p_amount, p_source, d);
end $$;

-- Takes back what is no longer given: money of expired lots that no hold made before their expiry can need, and what a
-- lowered plan gave too much, as far as it is neither posted nor held.
create function ledger_trim(b balance) returns balance language plpgsql as $$
declare
  l lot;
  v_kept bigint := 0;
  v_keep bigint;
  v_surplus bigint;
  v_plan bigint[];
begin
  -- A hold may use the lots that expired after it was made, so each lot's holds are among those of the next.
  for l in select * from lot where account_id = b.account_id and expired and not closed order by expires_at, id loop
    select greatest(0, least(l.remaining, coalesce(sum(amount), 0) - v_kept)) into v_keep
    from hold where account_id = b.account_id and state = 'held' and created_at < l.expires_at;
    if l.remaining > v_keep then
      b := ledger_book(b, 'lapse', l.remaining - v_keep, case when l.period is null then 'expired' else 'period_ended' end,
                       lot_take(array[l.id], l.remaining - v_keep));
    end if;
    v_kept := v_kept + v_keep;
  end loop;
  select array_agg(id order by id desc), coalesce(sum(remaining), 0) into v_plan, v_surplus
  from lot where account_id = b.account_id and period = b.period and not expired and not closed;
  if b.plan_granted > b.plan_target and v_surplus > 0 then
    v_surplus := least(b.plan_granted - b.plan_target, v_surplus, b.granted - b.posted - b.held);
    if v_surplus > 0 then
      b.plan_granted := b.plan_granted - v_surplus;
      b := ledger_book(b, 'lapse', v_surplus, 'plan_lowered', lot_take(v_plan, v_surplus));
    end if;
  end if;
  b.unsettled := exists (
    select 1 from lot where account_id = b.account_id and not closed
      and (expired or period = b.period and b.plan_granted > b.plan_target));
  return b;
end $$;

-- Grants what the plan gives in this period and has not given yet. Once per period: the key says which.
create function ledger_fill_plan(b balance) returns balance language plpgsql as $$
declare
  v_missing bigint := b.plan_target - b.plan_granted;
  v_first boolean := not exists (
    select 1 from ledger_grant g where g.account_id = b.account_id and g.idempotency_key = 'plan:' || b.period);
begin
  if v_missing > 0 then
    b.plan_granted := b.plan_granted + v_missing;
    b := ledger_bring(b, 'plan:' || b.period || case when v_first then '' else ':' || b.sequence + 1 end,
                      sha256(convert_to(v_missing::text, 'UTF8')), 'plan', v_missing, v_missing,
                      default_priority('plan'), b.period_ends_at, null, null);
  end if;
  return b;
end $$;

-- Locks the account, and does what has fallen due: lots expire, a new period begins. No job resets anything.
create function ledger_lock(p_account bigint, p_now timestamptz) returns balance language plpgsql as $$
declare
  b balance;
  v_zone text;
begin
  select * into strict b from balance where account_id = p_account for update;
  b.changed_at := greatest(coalesce(p_now, clock_timestamp()), b.changed_at);
  if b.changed_at < b.due_at then
    return b;
  end if;
  update lot set expired = true
  where account_id = p_account and not closed and not expired and expires_at <= b.changed_at;
  b := ledger_trim(b);
  if b.changed_at >= b.period_ends_at then
    select t.time_zone into strict v_zone from account a join tenant t on t.id = a.tenant_id where a.id = p_account;
    b.period := greatest(b.period, period_of(b.changed_at, v_zone));
    b.period_ends_at := period_end(b.period, v_zone);
    b.posted_before := b.posted;
    b.overrun_before := b.overrun;
    b.restored := 0;
    b.plan_granted := 0;
    b := ledger_fill_plan(b);
  end if;
  select least(b.period_ends_at, min(expires_at)) into b.due_at
  from lot where account_id = p_account and not closed and not expired;
  perform ledger_store(b);
  return b;
end $$;

-- The limit that a user or a key has now.
create function limit_of(p_kind text, p_subject uuid) returns bigint language sql stable
  return case p_kind
    when 'user' then (select coalesce(m.monthly_budget, t.member_budget)
                      from member m join tenant t on t.id = m.tenant_id where m.id = p_subject)
    else (select coalesce(k.monthly_budget, t.key_budget)
          from api_key k join tenant t on t.id = k.tenant_id where k.id = p_subject) end;

-- Brings the present period's limits of an account's users and keys to what they are wished to be.
create function ledger_refresh_limits(p_account bigint, p_now timestamptz) returns void language plpgsql as $$
declare
  b balance := ledger_lock(p_account, p_now);
begin
  update sub_balance s set wished = l.wished, budget = greatest(l.wished, case when l.wished is not null then posted + held end)
  from (select subject_id, limit_of(kind, subject_id) as wished from sub_balance
        where account_id = p_account and period = b.period) l
  where s.subject_id = l.subject_id and s.period = b.period and s.wished is distinct from l.wished;
end $$;

-- The row of a user or a key in a period; made by whoever needs it first.
create function ledger_open_sub(p_account bigint, p_kind text, p_subject uuid, p_period text) returns sub_balance
language plpgsql as $$
declare
  s sub_balance;
  v_limit bigint := limit_of(p_kind, p_subject);
begin
  insert into sub_balance (subject_id, period, account_id, kind, wished, budget)
  values (p_subject, p_period, p_account, p_kind, v_limit, v_limit) returning * into s;
  return s;
end $$;

-- Opens the tenant's account where it has none, and gives it what its plan now gives.
create function ledger_set_plan(p_tenant bigint, p_target bigint, p_now timestamptz) returns bigint
language plpgsql as $$
declare
  v_account bigint;
  v_zone text;
  v_at timestamptz := coalesce(p_now, clock_timestamp());
  v_end timestamptz;
  b balance;
begin
  -- No stronger lock: whoever holds the balance's may have to add a row that refers to the tenant.
  select t.time_zone into strict v_zone from tenant t where t.id = p_tenant for no key update;
  select a.id into v_account from account a where a.tenant_id = p_tenant;
  if v_account is null then
    insert into account (tenant_id) values (p_tenant) returning id into v_account;
    insert into balance (account_id, period, period_ends_at, due_at)
    values (v_account, period_of(v_at, v_zone), period_end(period_of(v_at, v_zone), v_zone),
            period_end(period_of(v_at, v_zone), v_zone));
  end if;
  -- Another time zone: the present period's end moves before anything falls due by it. Not into the past, for what was
  -- held until now was held in that period.
  select * into strict b from balance where account_id = v_account for update;
  if b.period_ends_at <> period_end(b.period, v_zone) then
    v_end := greatest(period_end(b.period, v_zone), greatest(v_at, b.changed_at) + interval '1 millisecond');
    update lot set expires_at = v_end where account_id = v_account and period = b.period and not expired;
    update balance set period_ends_at = v_end,
      due_at = (select least(v_end, min(expires_at)) from lot where account_id = v_account and not closed and not expired)
    where account_id = v_account;
  end if;
  b := ledger_lock(v_account, p_now);
  b.plan_target := p_target;
  b := ledger_trim(ledger_fill_plan(b));
  perform ledger_store(b);
  perform ledger_refresh_limits(v_account, p_now);
  return v_account;
end $$;

-- outcome: created, replayed, conflict (the key was used for something else), expired (it would bring nothing any more),
-- or insufficient (a correction may take only what is neither posted nor held; amount is then what it could take).
create type grant_result as (
  outcome text, id uuid, source text, amount bigint, priority integer, expires_at timestamptz, note text, period text,
  sequence bigint, created_at timestamptz
);

create function ledger_add_grant(
  p_account bigint, p_key text, p_payload bytea, p_source text, p_amount bigint, p_note text, p_priority integer,
  p_expires timestamptz, p_now timestamptz
) returns grant_result language plpgsql as $$
declare
  b balance := ledger_lock(p_account, p_now);
  g ledger_grant;
  v_from_plan bigint := 0;
  d lot_draw;
begin
  select * into g from ledger_grant where account_id = p_account and idempotency_key = p_key;
  if found then
    return (case when g.payload = p_payload then 'replayed' else 'conflict' end, g.id, g.source, g.amount, g.priority,
            g.expires_at, g.note, g.period, g.sequence, g.created_at)::grant_result;
  end if;
  if p_expires <= b.changed_at then
    return ('expired', null, p_source, p_amount, null, p_expires, null, null, null, null)::grant_result;
  end if;
  if p_amount is null then
    -- A reset gives back what this period has cost so far; the part that came from the plan will lapse with it.
    p_amount := greatest(0, b.posted - b.posted_before - b.restored);
    select least(p_amount, greatest(0, b.plan_granted - coalesce(sum(remaining), 0))) into v_from_plan
    from lot where account_id = p_account and period = b.period and not expired and not closed;
    b.restored := b.restored + p_amount;
  elsif p_amount < 0 then
    if b.granted + p_amount < b.posted + b.held then
      return ('insufficient', null, p_source, b.granted - b.posted - b.held, null, null, null, null, null,
              null)::grant_result;
    end if;
    -- What would have been spent last is taken first.
    d := lot_take(array(select id from lot where account_id = p_account and not closed and not expired
                        order by priority desc, expires_at desc nulls first, id desc), -p_amount);
  end if;
  b := ledger_bring(b, p_key, p_payload, p_source, p_amount, v_from_plan,
                    coalesce(p_priority, default_priority(p_source)), p_expires, p_note, d);
  b := ledger_trim(b);
  perform ledger_store(b);
  select * into strict g from ledger_grant where account_id = p_account and idempotency_key = p_key;
  return ('created', g.id, g.source, g.amount, g.priority, g.expires_at, g.note, g.period, g.sequence,
          g.created_at)::grant_result;
end $$;

-- outcome: created, replayed, conflict, unknown (no such line), not_reversible (neither a posting nor a grant that
-- brought money from outside the plan), or exceeds (amount is then what could be taken back).
create type reversal_result as (
  outcome text, id uuid, reverses bigint, amount bigint, note text, period text, sequence bigint, created_at timestamptz
);

create function ledger_reverse(
  p_account bigint, p_key text, p_payload bytea, p_reverses bigint, p_amount bigint, p_note text, p_now timestamptz
) returns reversal_result language plpgsql as $$
declare
  b balance := ledger_lock(p_account, p_now);
  r ledger_reversal;
  e ledger_entry;
  h hold;
  d lot_draw := ('{}', '{}');
  v_lots bigint[];
  v_most bigint;
  v_rest bigint;
  l record;
begin
  select * into r from ledger_reversal where account_id = p_account and idempotency_key = p_key;
  if found then
    return (case when r.payload = p_payload then 'replayed' else 'conflict' end, r.id, r.reverses, r.amount, r.note,
            r.period, r.sequence, r.created_at)::reversal_result;
  end if;
  select * into e from ledger_entry where account_id = p_account and sequence = p_reverses;
  if not found then
    return ('unknown', null, p_reverses, null, null, null, null, null)::reversal_result;
  elsif e.kind <> 'post' and (e.kind <> 'grant' or e.amount <= 0 or e.reason = 'plan') then
    return ('not_reversible', null, p_reverses, null, null, null, null, null)::reversal_result;
  end if;
  select e.amount - coalesce(sum(amount), 0) into v_most from ledger_reversal
  where account_id = p_account and reverses = p_reverses;
  if e.kind = 'grant' then
    select least(v_most, coalesce(sum(remaining), 0), b.granted - b.posted - b.held), array_agg(id) into v_most, v_lots
    from lot where id = any(e.lots) and not closed and not expired;
  end if;
  p_amount := coalesce(p_amount, v_most);
  if p_amount > v_most or p_amount = 0 then
    return ('exceeds', null, p_reverses, v_most, null, null, null, null)::reversal_result;
  end if;
  if e.kind = 'grant' then
    b := ledger_book(b, 'revoke', p_amount, p_note, lot_take(v_lots, p_amount), null, p_reverses);
  else
    -- What was drawn last goes back first. What came from a lot that has expired meanwhile lapses, as it would have
    -- had it never been billed.
    v_rest := p_amount;
    for l in
      select u.lot, min(u.place) as place, sum(u.part) as part
      from ledger_entry x, unnest(x.lots, x.drawn) with ordinality u(lot, part, place)
      where x.account_id = p_account and (x.sequence = p_reverses or x.sequence in (
        select sequence from ledger_reversal where account_id = p_account and reverses = p_reverses))
      group by u.lot having sum(u.part) > 0 order by max(case when x.sequence = p_reverses then u.place end) desc
    loop
      exit when v_rest = 0;
      l.part := least(l.part, v_rest);
      update lot set remaining = remaining + l.part, closed = false where id = l.lot;
      d.lots := d.lots || l.lot;
      d.drawn := d.drawn || -l.part;
      v_rest := v_rest - l.part;
    end loop;
    if e.period <> b.period then
      b.posted_before := b.posted_before - p_amount;
    end if;
    select * into strict h from hold where account_id = p_account and request_id = e.request_id;
    update sub_balance set posted = posted - p_amount
    where subject_id in (e.member_id, e.key_id) and period = h.period;
    b := ledger_book(b, 'refund', p_amount, p_note, d, h, p_reverses);
    update lot set expired = true where id = any(d.lots) and expires_at <= b.changed_at;
    select least(b.due_at, min(expires_at)) into b.due_at from lot where id = any(d.lots) and not expired;
  end if;
  insert into ledger_reversal (account_id, idempotency_key, payload, reverses, amount, note, period, sequence, created_at)
  values (p_account, p_key, p_payload, p_reverses, p_amount, p_note, b.period, b.sequence, b.changed_at) returning * into r;
  b := ledger_trim(b);
  perform ledger_store(b);
  return ('created', r.id, r.reverses, r.amount, r.note, r.period, r.sequence, r.created_at)::reversal_result;
end $$;

-- Ends the account's overdue holds, but for those the caller is about to end otherwise. All of them: one that stayed
-- would wrongly refuse somebody. Returns how many.
create function ledger_expire_overdue(p_account bigint, p_except uuid[], p_now timestamptz) returns bigint
language plpgsql as $$
declare
  b balance := ledger_lock(p_account, p_now);
  h hold;
  v_ended bigint := 0;
begin
  for h in
    update hold set state = 'expired', closed_at = b.changed_at
    where account_id = p_account and state = 'held' and expires_at <= b.changed_at and request_id <> all(p_except)
    returning *
  loop
    update sub_balance set held = held - h.amount where subject_id in (h.member_id, h.key_id) and period = h.period;
    b := ledger_book(b, 'expire', h.amount, null, null, h);
    v_ended := v_ended + 1;
  end loop;
  if v_ended > 0 then
    b := ledger_trim(b);
    perform ledger_store(b);
  end if;
  return v_ended;
end $$;

-- The period's view of the balance. Takes the lock only when something has fallen due.
create function ledger_budget(p_account bigint, p_now timestamptz) returns balance language plpgsql as $$
declare
  b balance;
begin
  select * into strict b from balance where account_id = p_account;
  if coalesce(p_now, clock_timestamp()) >= b.due_at then
    b := ledger_lock(p_account, p_now);
  end if;
  return b;
end $$;
