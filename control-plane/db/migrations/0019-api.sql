-- What the API itself keeps: the answers of writes that may be repeated, what callers have left of their limits, and how
-- far each tenant's live stream has been told of usage and budget.

-- One row per caller, route and Idempotency-Key. Under way: no status yet, and a lease that its process renews, so that a
-- process that died blocks a repetition for seconds. Done: the answer, sealed, since a new key's secret may be in it.
create table idempotency (
  caller text not null check (length(caller) <= 120),
  route text not null check (length(route) <= 120),
  key text not null check (length(key) between 1 and 200),
  payload bytea not null check (octet_length(payload) = 32),
  token uuid not null,
  leased_until timestamptz not null,
  status int check (status between 200 and 299),
  answer bytea,
  expires_at timestamptz not null,
  primary key (caller, route, key),
  check ((status is null) = (answer is null))
);
create index idempotency_expiry on idempotency (expires_at);

-- outcome: claimed (carry it out, then finish or release it with the token), done, in_progress, or reused (the key was
-- for something else).
create type idempotency_claimed as (outcome text, status int, answer bytea);

create function idempotency_claim(
  p_caller text, p_route text, p_key text, p_payload bytea, p_token uuid, p_lease interval, p_kept interval
) returns idempotency_claimed language plpgsql as $$
declare
  v_now timestamptz := clock_timestamp();
  r idempotency;
begin
  insert into idempotency as i (caller, route, key, payload, token, leased_until, expires_at)
  values (p_caller, p_route, p_key, p_payload, p_token, v_now + p_lease, v_now + p_kept)
  on conflict (caller, route, key) do update set
    payload = excluded.payload, token = excluded.token, leased_until = excluded.leased_until, status = null,
    answer = null, expires_at = excluded.expires_at
  where i.expires_at <= v_now or i.status is null and i.leased_until <= v_now and i.payload = excluded.payload
  returning * into r;
  if found then
    return ('claimed', null, null)::idempotency_claimed;
  end if;
  select * into r from idempotency where caller = p_caller and route = p_route and key = p_key;
  if not found then
    -- Released in this very moment: the next try finds the way free.
    return ('in_progress', null, null)::idempotency_claimed;
  end if;
  return (case when r.payload <> p_payload then 'reused' when r.status is null then 'in_progress' else 'done' end,
          r.status, r.answer)::idempotency_claimed;
end $$;

-- What a caller has used of a limit in the present window. Unlogged: a crash of the database forgives a minute's calls.
create unlogged table rate_window (
  bucket text primary key check (length(bucket) <= 200),
  number bigint not null,
  taken bigint not null,
  ends_at timestamptz not null
) with (fillfactor = 50);
create index rate_window_end on rate_window (ends_at);

-- Takes up to p_want calls out of the present window of a bucket: windows are the database's, so that all replicas share
-- them. taken may go past the limit; who gets nothing does not ask again before the window ends.
create function rate_take(
  p_bucket text, p_limit int, p_window_seconds int, p_want int,
  out got int, out remaining int, out seconds_left double precision
) language plpgsql as $$
declare
  v_now double precision := extract(epoch from clock_timestamp());
  v_number bigint := floor(v_now / p_window_seconds);
  v_taken bigint;
begin
  insert into rate_window as w (bucket, number, taken, ends_at)
  values (p_bucket, v_number, p_want, to_timestamp((v_number + 1) * p_window_seconds))
  on conflict (bucket) do update set
    taken = case when w.number >= excluded.number then w.taken else 0 end + excluded.taken,
    number = greatest(w.number, excluded.number), ends_at = greatest(w.ends_at, excluded.ends_at)
  returning taken into v_taken;
  got := greatest(0, least(p_want, p_limit - (v_taken - p_want)));
  remaining := greatest(0, p_limit - v_taken);
  seconds_left := (v_number + 1) * p_window_seconds - v_now;
end $$;

-- Up to where an account's live stream was told of its usage and its budget, and when.
create table told (
  account_id bigint primary key references account,
  sequence bigint not null,
  granted bigint not null,
  posted bigint not null,
  overrun bigint not null,
  period text not null,
  at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- An account's budget as the API shows it.
create function budget_told(p_account bigint) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'period', b.period, 'grantedNanoEur', (b.granted - b.posted_before)::text,
    'postedNanoEur', (b.posted - b.posted_before)::text, 'heldNanoEur', (b.held - l.leased)::text,
    'leasedNanoEur', l.leased::text, 'availableNanoEur', (b.granted - b.posted - b.held)::text,
    'overrunNanoEur', (b.overrun - b.overrun_before)::text,
    'resetsAt', to_char(b.period_ends_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  from balance b, lateral (
    select coalesce(sum(h.amount), 0)::bigint as leased from hold h
    where h.account_id = b.account_id and h.state = 'held' and h.lease_id = h.request_id) l
  where b.account_id = p_account
$$;

-- Tells the streams of all tenants what was posted since they were last told, and how their budgets stand. Settlements
-- pay nothing for it: it follows them, at most once a second for a tenant, and an account seen for the first time is only
-- noted. As many processes as there are may do it: what one has taken the others leave alone. Returns how many were told.
create function events_tell() returns int language plpgsql as $$
declare
  r record;
  v_told int := 0;
begin
  insert into told (account_id, sequence, granted, posted, overrun, period)
  select b.account_id, b.sequence, b.granted, b.posted, b.overrun, b.period from balance b
  where not exists (select 1 from told t where t.account_id = b.account_id)
  on conflict do nothing;
  for r in
    select t.account_id, t.sequence as sequence_before, a.tenant_id, t.posted as posted_before,
      (t.granted, t.posted, t.overrun, t.period) <> (b.granted, b.posted, b.overrun, b.period) as moved, b.*
    from told t join balance b on b.account_id = t.account_id join account a on a.id = t.account_id
    where b.sequence > t.sequence and t.at <= clock_timestamp() - interval '1 second'
    order by t.account_id for update of t skip locked
  loop
    if r.posted <> r.posted_before then
      perform event_append(r.tenant_id, 'usage.posted', s.data) from (
        select jsonb_build_object('requests', sum(requests), 'inputTokens', sum(input_tokens),
          'outputTokens', sum(output_tokens), 'postedNanoEur', sum(posted)::text, 'overrunNanoEur', sum(overrun)::text) as data
        from usage_sums(r.account_id, r.sequence_before, r.sequence) having count(*) > 0) s;
    end if;
    if r.moved then
      perform event_append(r.tenant_id, 'budget.changed', budget_told(r.account_id));
    end if;
    update told set sequence = r.sequence, granted = r.granted, posted = r.posted, overrun = r.overrun,
      period = r.period, at = clock_timestamp()
    where account_id = r.account_id;
    v_told := v_told + r.moved::int;
  end loop;
  return v_told;
end $$;

-- open, suspended, closed or erased: what people and gateways of a tenant meet.
create function tenant_status(t tenant) returns text language sql immutable
  return case when t.state <> 'open' then t.state
              when coalesce((t.registration ->> 'suspended')::boolean, false) then 'suspended' else 'open' end;

create function tenant_tell_status() returns trigger language plpgsql as $$
begin
  perform event_append(new.id, 'tenant.status_changed',
    jsonb_build_object('status', tenant_status(new), 'previous', tenant_status(old)));
  return null;
end $$;
create trigger tenant_changes_status after update on tenant for each row
  when (tenant_status(new) <> tenant_status(old)) execute function tenant_tell_status();
