-- Requests: authorise, settle, void. Many at a time, of many accounts, by one statement: one round trip and one commit
-- pay for all of them. The function gathers everything with a few set-based queries, decides one operation after the
-- other in memory, and writes everything with a few set-based statements. So it costs little more for fifty operations
-- than for one, and there is one set of rules, whatever the number.

-- What the caller asks. kind: authorise, settle, void. The fields of the other kinds are null.
create type ledger_operation as (
  i integer, kind text, account bigint, request uuid, trace text,
  tenant bigint, tenant_revision bigint, catalogue_revision bigint, payload bytea, key bytea, "user" jsonb,
  amount bigint, max_output_tokens bigint, terms jsonb, hold_ms bigint,
  min_amount bigint, min_output_tokens bigint, step_amount bigint, step_output_tokens bigint,
  settlement bytea, model_served text, input_tokens bigint, cached_input_tokens bigint, cache_write_tokens bigint,
  audio_input_tokens bigint, output_tokens bigint, audio_output_tokens bigint, images bigint,
  provider_total_tokens bigint, cost bigint, margin bigint, prices jsonb, cache_hit boolean, finish text,
  started_at timestamptz, first_token_at timestamptz, ended_at timestamptz,
  reason text
);

-- What it is answered. outcome of
--   authorise  granted, refused (reason busy or spent, scope says whose), stale (price it again), key_unknown,
--              seats_taken, conflict (other payload), or the state that makes a grant impossible: already_voided,
--              already_posted, already_expired
--   settle     posted, replayed (the stored answer again), conflict (settled with other figures), unknown, or
--              not_authorised (refused, or voided before it was ever asked)
--   void       the state the request is in afterwards. Before its authorise, a void leaves a tombstone that refuses it.
-- unlimited: neither the user nor the key of what was granted has a limit of its own, so a lease may serve them.
-- line and what follows are what was written: the line's kind, place and balances after it.
create type ledger_result as (
  outcome text, reason text, replayed boolean, amount bigint, max_output_tokens bigint, expires_at timestamptz,
  unlimited boolean,
  resets_at timestamptz, scope text, granted bigint, posted bigint, held bigint, next_expiry timestamptz,
  late boolean, hold bigint, cost bigint, margin bigint, total bigint, overrun bigint,
  line text, at timestamptz, period text, sequence bigint, released bigint,
  granted_after bigint, posted_after bigint, held_after bigint, overrun_after bigint, lots bigint[], drawn bigint[]
);

create type ledger_case as (
  o ledger_operation, h hold, key_id uuid, key_kind text, member_id uuid, fresh boolean, member_known boolean,
  r ledger_result
);

create function seat_is_free(p_tenant bigint) returns boolean language sql stable
  return (select max_members is null or max_members > (select count(*) from member m where m.tenant_id = t.id)
          from tenant t where t.id = p_tenant);

-- The user a chat key speaks for: found by the chat's id, else by address, else made while there is a seat. Called under
-- the lock of the tenant's account, so two newcomers cannot take the same seat.
create function member_of_chat(p_tenant bigint, p_user jsonb) returns uuid language plpgsql as $$
declare
  m member;
  v_role text := coalesce(p_user ->> 'role', 'user');
begin
  update member set name = coalesce(p_user ->> 'name', name), role = coalesce(p_user ->> 'role', role)
  where tenant_id = p_tenant and external_id = p_user ->> 'externalId' returning * into m;
  if found then
    return m.id;
  end if;
  update member set external_id = p_user ->> 'externalId', name = coalesce(p_user ->> 'name', name),
    role = coalesce(p_user ->> 'role', role)
  where tenant_id = p_tenant and lower(email) = lower(p_user ->> 'email') and external_id is null returning * into m;
  if found then
    return m.id;
  elsif not seat_is_free(p_tenant) then
    return null;
  end if;
  insert into member (tenant_id, external_id, email, name, role)
  values (p_tenant, p_user ->> 'externalId', p_user ->> 'email', p_user ->> 'name', v_role)
  on conflict do nothing returning * into m;
  if not found then
    -- The address belongs to another chat account: that one keeps it.
    insert into member (tenant_id, external_id, name, role)
    values (p_tenant, p_user ->> 'externalId', p_user ->> 'name', v_role)
    on conflict (tenant_id, external_id) do update set name = excluded.name returning * into m;
  end if;
  return m.id;
end $$;

-- Decides and books p_operations. p_accounts are theirs, each once; no request is named twice. Index scans only: these
-- plans are made once per connection, maybe while the tables are empty, and must be right when they are huge.
create function ledger_apply(p_operations jsonb, p_accounts bigint[], p_now timestamptz)
returns table (i integer, r ledger_result) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_ending uuid[];
  v_due bigint;
  v_cases ledger_case[];
  v_done ledger_case[] := '{}';
  c ledger_case;
  o ledger_operation;
  h hold;
  x ledger_result;
  u usage_line;
  e ledger_entry;
  -- balances, and which of them have moved
  v_balances balance[];
  v_moved balance[] := '{}';
  v_place integer := 0;
  b balance;
  -- users' and keys' balances of the periods concerned; v_sub finds one's place by subject and period
  v_sub jsonb;
  s_subject uuid[];
  s_period text[];
  s_wished bigint[];
  s_posted bigint[];
  s_held bigint[];
  s sub_balance;
  v_user integer;
  v_key integer;
  -- open lots in the order they are spent
  l_id bigint[];
  l_account bigint[];
  l_remaining bigint[];
  l_expires timestamptz[];
  l_expired boolean[];
  l_first integer := 1;
  n integer;
  v_free bigint;
  v_user_free bigint;
  v_key_free bigint;
  v_rest bigint;
  v_part bigint;
  v_since timestamptz;
  v_unsettled boolean;
  v_begins boolean := false;
  v_ends boolean := false;
  v_posts boolean := false;
begin
  perform 1 from balance where account_id = any(p_accounts) order by account_id for update;
  v_now := coalesce(p_now, clock_timestamp());
  perform ledger_lock(account_id, p_now) from balance
  where account_id = any(p_accounts) and greatest(v_now, changed_at) >= due_at;

  -- While money waits to be taken back, each operation decides how much the next one finds: one at a time.
  v_unsettled := exists (select 1 from balance where account_id = any(p_accounts) and unsettled);
  if v_unsettled and jsonb_array_length(p_operations) > 1 then
    return query select a.i, a.r from jsonb_array_elements(p_operations) one,
      ledger_apply(jsonb_build_array(one), array[(one ->> 'account')::bigint], p_now) a;
    return;
  end if;

  -- Whoever is refused now must not be so for a hold that is overdue.
  v_ending := array(select (one ->> 'request')::uuid from jsonb_array_elements(p_operations) one
                    where one ->> 'kind' <> 'authorise');
  for v_due in
    select w.account_id from balance w where w.account_id = any(p_accounts) and exists (
      select 1 from hold q where q.account_id = w.account_id and q.state = 'held'
        and q.expires_at <= greatest(v_now, w.changed_at) and q.request_id <> all(v_ending))
  loop
    perform ledger_expire_overdue(v_due, v_ending, p_now);
  end loop;

  -- Gather. What ends comes before what begins: it frees capacity.
  select array_agg(row(a, h, k.id, k.kind, coalesce(m.id, k.member_id), t.id is not null,
      m.id is not null and (a."user" ->> 'name' is null or a."user" ->> 'name' = m.name)
        and (a."user" ->> 'role' is null or a."user" ->> 'role' = m.role), null)::ledger_case
      order by a.account, a.kind = 'authorise', a.i)
  into v_cases
  from jsonb_populate_recordset(null::ledger_operation, p_operations) a
  left join hold h on h.account_id = a.account and h.request_id = a.request
  left join api_key k on k.sha256 = a.key and k.tenant_id = a.tenant and k.revoked_at is null
    and (k.expires_at is null or k.expires_at > v_now)
  left join member m on k.kind = 'chat' and m.tenant_id = a.tenant and m.external_id = a."user" ->> 'externalId'
  left join (tenant t cross join catalogue g)
    on t.id = a.tenant and t.revision = a.tenant_revision and g.revision = a.catalogue_revision;

  select array_agg(w order by w.account_id) into v_balances from balance w where account_id = any(p_accounts);

  select jsonb_object_agg(w.subject_id || w.period, w.place), array_agg(w.subject_id order by w.place),
    array_agg(w.period order by w.place), array_agg(w.wished order by w.place), array_agg(w.posted order by w.place),
    array_agg(w.held order by w.place)
  into v_sub, s_subject, s_period, s_wished, s_posted, s_held
  from (
    select q.*, row_number() over () as place from (
      select y.subject, y.period from unnest(v_cases) z
      join unnest(v_balances) w on w.account_id = (z.o).account
      cross join lateral (values (coalesce((z.h).member_id, z.member_id)), (coalesce((z.h).key_id, z.key_id))) v(subject)
      cross join lateral (values (v.subject, coalesce((z.h).period, w.period))) y(subject, period)
      where y.subject is not null group by 1, 2) p
    join sub_balance q on q.subject_id = p.subject and q.period = p.period) w;
  v_sub := coalesce(v_sub, '{}');

  if jsonb_path_exists(p_operations, '$[*].kind ? (@ == "settle")') then
    select array_agg(id), array_agg(account_id), array_agg(remaining), array_agg(expires_at), array_agg(expired)
    into l_id, l_account, l_remaining, l_expires, l_expired
    from (select * from lot where account_id = any(p_accounts) and not closed
          order by account_id, expired desc, case when expired then expires_at end, priority, expires_at, id) l;
  end if;

  -- Decide.
  foreach c in array v_cases loop
    o := c.o;
    h := c.h;
    x := null;
    if b.account_id is distinct from o.account then
      if b.account_id is not null then
        v_moved := array_append(v_moved, b);
      end if;
      v_place := v_place + 1;
      b := v_balances[v_place];
      if b.account_id is distinct from o.account then
        raise exception 'operations on account %, which the caller does not name', o.account using errcode = 'CF003';
      end if;
      b.changed_at := greatest(v_now, b.changed_at);
      while l_account[l_first] < o.account loop
        l_first := l_first + 1;
      end loop;
    end if;

    if o.kind = 'authorise' then
      if c.key_id is null then
        x.outcome := 'key_unknown';
      elsif h.state is not null then
        x.replayed := true;
        if h.payload is null then
          x.outcome := 'already_voided';
        elsif h.payload <> o.payload then
          x.outcome := 'conflict';
        elsif h.state = 'held' then
          x.outcome := 'granted';
          x.amount := h.amount;
          x.max_output_tokens := h.max_output_tokens;
          x.expires_at := h.expires_at;
          x.unlimited := s_wished[(v_sub ->> (h.member_id || h.period))::integer] is null
            and s_wished[(v_sub ->> (h.key_id || h.period))::integer] is null;
        elsif h.state = 'refused' then
          select * into strict e from ledger_entry
          where account_id = o.account and request_id = o.request and kind = 'refuse';
          x.outcome := 'refused';
          x.reason := h.reason;
          x.amount := h.amount;
          x.scope := e.scope;
          x.granted := coalesce(e.scope_budget, e.granted_after);
          x.posted := coalesce(e.scope_posted, e.posted_after);
          x.held := coalesce(e.scope_held, e.held_after);
          x.resets_at := b.period_ends_at;
        else
          x.outcome := 'already_' || h.state;
        end if;
      elsif not c.fresh then
        x.outcome := 'stale';
      else
        if c.key_kind = 'chat' and o."user" is not null and not c.member_known then
          c.member_id := member_of_chat(o.tenant, o."user");
        end if;
        if c.key_kind = 'chat' and o."user" is not null and c.member_id is null then
          x.outcome := 'seats_taken';
        else
          v_free := b.granted - b.posted - b.held;
          v_user := null;
          v_key := null;
          v_user_free := null;
          v_key_free := null;
          if c.member_id is not null then
            v_user := v_sub ->> (c.member_id || b.period);
            if v_user is null then
              s := ledger_open_sub(b.account_id, 'user', c.member_id, b.period);
              v_user := coalesce(cardinality(s_subject), 0) + 1;
              v_sub := v_sub || jsonb_build_object(s.subject_id || s.period, v_user);
              s_subject[v_user] := s.subject_id;
              s_period[v_user] := s.period;
              s_wished[v_user] := s.wished;
              s_posted[v_user] := s.posted;
              s_held[v_user] := s.held;
            end if;
            v_user_free := s_wished[v_user] - s_posted[v_user] - s_held[v_user];
          end if;
          if c.key_kind = 'api' then
            v_key := v_sub ->> (c.key_id || b.period);
            if v_key is null then
              s := ledger_open_sub(b.account_id, 'key', c.key_id, b.period);
              v_key := coalesce(cardinality(s_subject), 0) + 1;
              v_sub := v_sub || jsonb_build_object(s.subject_id || s.period, v_key);
              s_subject[v_key] := s.subject_id;
              s_period[v_key] := s.period;
              s_wished[v_key] := s.wished;
              s_posted[v_key] := s.posted;
              s_held[v_key] := s.held;
            end if;
            v_key_free := s_wished[v_key] - s_posted[v_key] - s_held[v_key];
          end if;
          x.at := b.changed_at;
          x.period := b.period;
          x.resets_at := b.period_ends_at;
          x.amount := o.amount;
          x.max_output_tokens := o.max_output_tokens;
          -- A limit may have been lowered below what was spent; what costs nothing fits even then.
          v_rest := greatest(0, least(v_free, v_user_free, v_key_free));
          if o.amount > v_rest and o.min_amount is not null then
            -- Not all of it fits: as many steps above the least useful answer as do.
            v_part := greatest(0, (v_rest - o.min_amount) / o.step_amount);
            x.amount := o.min_amount + v_part * o.step_amount;
            x.max_output_tokens := o.min_output_tokens + v_part * o.step_output_tokens;
          end if;
          if x.amount <= v_rest then
            x.outcome := 'granted';
            x.expires_at := b.changed_at + o.hold_ms * interval '1 millisecond';
            x.unlimited := v_user_free is null and v_key_free is null;
            x.line := 'hold';
            b.held := b.held + x.amount;
            if v_user is not null then s_held[v_user] := s_held[v_user] + x.amount; end if;
            if v_key is not null then s_held[v_key] := s_held[v_key] + x.amount; end if;
          else
            -- Whose budget it exceeds: one that is spent before one that is only busy, for waiting would not help.
            x.outcome := 'refused';
            x.line := 'refuse';
            x.scope := case
              when b.posted + x.amount > b.granted then 'tenant'
              when s_posted[v_user] + x.amount > s_wished[v_user] then 'user'
              when s_posted[v_key] + x.amount > s_wished[v_key] then 'key' end;
            x.reason := case when x.scope is null then 'busy' else 'spent' end;
            x.scope := coalesce(x.scope, case
              when x.amount > v_free then 'tenant' when x.amount > v_user_free then 'user' else 'key' end);
            n := case x.scope when 'user' then v_user else v_key end;
            x.granted := case x.scope when 'tenant' then b.granted else s_wished[n] end;
            x.posted := case x.scope when 'tenant' then b.posted else s_posted[n] end;
            x.held := case x.scope when 'tenant' then b.held else s_held[n] end;
            if x.reason = 'busy' then
              select min(expires_at) into x.next_expiry from hold where account_id = o.account and state = 'held';
            end if;
          end if;
        end if;
      end if;

    elsif o.kind = 'settle' then
      if h.state is null then
        x.outcome := 'unknown';
      elsif h.state = 'posted' then
        select * into strict u from usage_line where account_id = o.account and request_id = o.request;
        x.outcome := case when u.settlement = o.settlement then 'replayed' else 'conflict' end;
        x.late := u.late;
        x.hold := u.hold;
        x.cost := u.cost;
        x.margin := u.margin;
        x.total := u.total;
        x.amount := u.posted;
        x.overrun := u.overrun;
      elsif h.terms is null then
        x.outcome := 'not_authorised';
      else
        x.outcome := 'posted';
        x.line := 'post';
        x.at := b.changed_at;
        x.period := b.period;
        x.late := h.state <> 'held';
        x.hold := h.amount;
        x.cost := o.cost;
        x.margin := o.margin;
        x.total := o.cost + o.margin;
        x.released := case when x.late then 0 else h.amount end;
        x.amount := least(x.total, h.amount);
        v_user := v_sub ->> (h.member_id || h.period);
        v_key := v_sub ->> (h.key_id || h.period);
        if x.late then
          -- Its hold was given back already: bill it from what is free now, and what does not fit is an overrun.
          x.reason := 'late';
          x.amount := greatest(0, least(x.amount, b.granted - b.posted - b.held,
            s_wished[v_user] - s_posted[v_user] - s_held[v_user], s_wished[v_key] - s_posted[v_key] - s_held[v_key]));
        end if;
        v_since := case when x.late then b.changed_at else h.created_at end;
        v_rest := x.amount;
        n := l_first;
        x.lots := '{}';
        x.drawn := '{}';
        while v_rest > 0 loop
          if l_account[n] is distinct from o.account then
            raise exception 'account %: its lots lack % nano-euro', o.account, v_rest using errcode = 'CF003';
          end if;
          if l_remaining[n] > 0 and (not l_expired[n] or l_expires[n] > v_since) then
            v_part := least(v_rest, l_remaining[n]);
            l_remaining[n] := l_remaining[n] - v_part;
            x.lots := x.lots || l_id[n];
            x.drawn := x.drawn || v_part;
            v_rest := v_rest - v_part;
          end if;
          n := n + 1;
        end loop;
        b.posted := b.posted + x.amount;
        b.held := b.held - x.released;
        x.overrun := x.total - x.amount;
        if v_user is not null then
          s_posted[v_user] := s_posted[v_user] + x.amount;
          s_held[v_user] := s_held[v_user] - x.released;
        end if;
        if v_key is not null then
          s_posted[v_key] := s_posted[v_key] + x.amount;
          s_held[v_key] := s_held[v_key] - x.released;
        end if;
      end if;

    else
      x.reason := o.reason;
      if h.state is null then
        x.outcome := 'voided';
        x.at := b.changed_at;
        x.period := b.period;
      elsif h.state <> 'held' then
        x.outcome := h.state;
      else
        x.outcome := 'voided';
        x.line := 'void';
        x.at := b.changed_at;
        x.period := b.period;
        x.amount := h.amount;
        b.held := b.held - h.amount;
        v_user := v_sub ->> (h.member_id || h.period);
        v_key := v_sub ->> (h.key_id || h.period);
        if v_user is not null then s_held[v_user] := s_held[v_user] - h.amount; end if;
        if v_key is not null then s_held[v_key] := s_held[v_key] - h.amount; end if;
      end if;
    end if;

    if x.line is not null then
      b.sequence := b.sequence + 1;
      x.sequence := b.sequence;
      x.granted_after := b.granted;
      x.posted_after := b.posted;
      x.held_after := b.held;
      x.overrun_after := b.overrun;
      if x.overrun > 0 then
        b.overrun := b.overrun + x.overrun;
        b.sequence := b.sequence + 1;
      end if;
    end if;
    v_begins := v_begins or x.at is not null and h.state is null;
    v_ends := v_ends or x.line in ('post', 'void');
    v_posts := v_posts or x.line = 'post';
    c.r := x;
    v_done := array_append(v_done, c);
  end loop;
  v_moved := array_append(v_moved, b);

  -- Write, and only to tables that something was decided for: an empty statement costs as much as a row.
  update balance w set posted = m.posted, held = m.held, overrun = m.overrun, sequence = m.sequence,
    changed_at = m.changed_at
  from unnest(v_moved) m where w.account_id = m.account_id and w.sequence <> m.sequence;

  update sub_balance q set posted = m.posted, held = m.held
  from unnest(s_subject, s_period, s_posted, s_held) m(subject, period, posted, held)
  where q.subject_id = m.subject and q.period = m.period and (q.posted, q.held) <> (m.posted, m.held);

  if v_posts then
    update lot w set remaining = m.remaining, closed = m.remaining = 0
    from unnest(l_id, l_remaining) m(id, remaining) where w.id = m.id and w.remaining <> m.remaining;
  end if;

  if v_begins then
    insert into hold (account_id, request_id, payload, state, reason, amount, max_output_tokens, period, expires_at,
                      member_id, key_id, trace_id, terms, created_at, closed_at)
    select (d.o).account, (d.o).request, (d.o).payload,
      case (d.r).line when 'hold' then 'held' when 'refuse' then 'refused' else 'voided' end, (d.r).reason,
      coalesce((d.r).amount, 0), coalesce((d.r).max_output_tokens, 0), (d.r).period, (d.r).expires_at,
      d.member_id, d.key_id, (d.o).trace, case when (d.r).line = 'hold' then (d.o).terms end, (d.r).at,
      case when (d.r).line is distinct from 'hold' then (d.r).at end
    from unnest(v_done) d where (d.r).at is not null and (d.h).state is null;
  end if;

  if v_ends then
    update hold w set state = (d.r).outcome, closed_at = (d.r).at,
      reason = case when (d.r).line = 'void' then (d.r).reason else w.reason end
    from unnest(v_done) d
    where (d.r).line in ('post', 'void') and w.account_id = (d.o).account and w.request_id = (d.o).request;
  end if;

  insert into ledger_entry (account_id, sequence, at, kind, period, request_id, member_id, key_id, amount, released,
    granted_after, posted_after, held_after, overrun_after, reason, scope, scope_budget, scope_posted, scope_held,
    lots, drawn)
  select (d.o).account, (d.r).sequence + w.place, (d.r).at, w.kind, (d.r).period, (d.o).request,
    coalesce((d.h).member_id, d.member_id), coalesce((d.h).key_id, d.key_id), w.amount,
    case when w.kind = 'post' then (d.r).released else 0 end,
    (d.r).granted_after, (d.r).posted_after, (d.r).held_after,
    (d.r).overrun_after + case when w.kind = 'overrun' then w.amount else 0 end,
    case when w.kind = 'overrun' and not (d.r).late then 'above_hold' else (d.r).reason end,
    (d.r).scope, case when (d.r).scope <> 'tenant' then (d.r).granted end,
    case when (d.r).scope <> 'tenant' then (d.r).posted end, case when (d.r).scope <> 'tenant' then (d.r).held end,
    case when w.kind = 'post' then (d.r).lots end, case when w.kind = 'post' then (d.r).drawn end
  from unnest(v_done) d
  cross join lateral (values (0, (d.r).line, (d.r).amount), (1, 'overrun', (d.r).overrun)) w(place, kind, amount)
  where (d.r).line is not null and (w.place = 0 or w.amount > 0);

  if v_posts then
    insert into usage_line (account_id, request_id, sequence, at, period, settlement, late, finish, cache_hit,
      model_served, input_tokens, cached_input_tokens, cache_write_tokens, audio_input_tokens, output_tokens,
      audio_output_tokens, images, provider_total_tokens, max_output_tokens, hold, cost, margin, total, posted, overrun,
      member_id, key_id, trace_id, prices, terms, started_at, first_token_at, ended_at)
    select (d.o).account, (d.o).request, (d.r).sequence, (d.r).at, (d.r).period, (d.o).settlement, (d.r).late,
      (d.o).finish, (d.o).cache_hit, (d.o).model_served, (d.o).input_tokens, (d.o).cached_input_tokens,
      (d.o).cache_write_tokens, (d.o).audio_input_tokens, (d.o).output_tokens, (d.o).audio_output_tokens,
      (d.o).images, (d.o).provider_total_tokens, (d.h).max_output_tokens, (d.r).hold, (d.r).cost, (d.r).margin,
      (d.r).total, (d.r).amount, (d.r).overrun, (d.h).member_id, (d.h).key_id, coalesce((d.o).trace, (d.h).trace_id),
      (d.o).prices, (d.h).terms - 'prices', (d.o).started_at, (d.o).first_token_at, (d.o).ended_at
    from unnest(v_done) d where (d.r).line = 'post';
  end if;

  if v_unsettled then
    perform ledger_store(ledger_trim(w)) from balance w where w.account_id = any(p_accounts);
  end if;
  return query select (d.o).i, d.r from unnest(v_done) d;
end $$;
