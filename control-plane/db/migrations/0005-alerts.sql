-- What a tenant is told: events for its stream, and the alerts of budgets with their deliveries. All of it is written in
-- the transaction of the posting that is the cause, so nothing is told that did not happen, and nothing is forgotten.

-- Numbers are per tenant, without gaps, and become visible in their order: the counter's row is locked until commit. So
-- a reader that asks for everything after the last number it has seen misses none.
create table event (
  tenant_id bigint not null references tenant,
  id bigint not null check (id > 0),
  at timestamptz not null default clock_timestamp(),
  type text not null check (type ~ '^[a-z_]+(\.[a-z_]+)+$'),
  data jsonb not null,
  primary key (tenant_id, id)
);
create table event_counter (
  tenant_id bigint primary key references tenant,
  last bigint not null
);

create function event_append(p_tenant bigint, p_type text, p_data jsonb) returns bigint language plpgsql as $$
declare
  v_id bigint;
begin
  insert into event_counter as c (tenant_id, last) values (p_tenant, 1)
  on conflict (tenant_id) do update set last = c.last + 1 returning last into v_id;
  insert into event (tenant_id, id, type, data) values (p_tenant, v_id, p_type, p_data);
  -- Only wakes who waits; a reader that was not listening finds the row all the same.
  perform pg_notify('cloudfreedom_event', p_tenant::text);
  return v_id;
end $$;

create trigger event_append_only before update or truncate on event
  for each statement execute function refuse_change();

-- One per budget, period and threshold, ever. The budget is the tenant's own, or that of a user or key (subject_id).
-- spent and budget are what they were at that posting.
create table alert (
  id uuid primary key default gen_random_uuid(),
  tenant_id bigint not null references tenant,
  account_id bigint not null references account,
  scope text not null check (scope in ('tenant', 'user', 'key')),
  subject_id uuid,
  period text not null,
  threshold_percent int not null check (threshold_percent between 1 and 100),
  spent bigint not null,
  budget bigint not null,
  at timestamptz not null default clock_timestamp(),
  event_id bigint not null,
  constraint an_alert_was_right check (spent::numeric * 100 >= threshold_percent * budget::numeric),
  check ((scope = 'tenant') = (subject_id is null)),
  unique nulls not distinct (account_id, subject_id, period, threshold_percent),
  unique (tenant_id, event_id)
);

-- Where a tenant's own system is told. The secret signs, so it cannot be hashed; it leaves only by the answer that made it.
create table webhook (
  tenant_id bigint primary key references tenant,
  url text not null check (length(url) <= 2048),
  secret bytea not null check (octet_length(secret) = 32),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- One per alert and receiver, made with the alert. pending: due at next_attempt_at; whoever takes it moves that ahead, so
-- a crash under way only delays it. failed: given up after the last attempt.
create table delivery (
  id uuid primary key default gen_random_uuid(),
  alert_id uuid not null references alert,
  tenant_id bigint not null references tenant,
  channel text not null check (channel in ('mail', 'webhook')),
  recipient text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default clock_timestamp(),
  taken_until timestamptz,
  last_error text,
  ended_at timestamptz,
  check ((state = 'pending') = (ended_at is null)),
  unique (alert_id, channel, recipient)
);
create index delivery_due on delivery (next_attempt_at) where state = 'pending';
create index delivery_under_way on delivery (tenant_id, channel) where state = 'pending' and taken_until is not null;

-- Whole percent of a budget that is spent, at most 100. A budget of nothing is never reached: it is refused at once.
create function percent_spent(spent bigint, budget bigint) returns int language sql immutable
  return case when budget > 0 then least(div(spent::numeric * 100, budget::numeric), 100)::int else 0 end;

-- Fires every threshold that is reached and has not fired in this period.
create function alert_fire(
  p_account bigint, p_scope text, p_subject uuid, p_period text, p_spent bigint, p_budget bigint
) returns void language plpgsql as $$
declare
  t record;
  threshold int;
  v_alert uuid;
  v_event bigint;
begin
  select tenant.id, registration into strict t from account a join tenant on tenant.id = a.tenant_id
  where a.id = p_account;
  for threshold in
    select distinct value::int from jsonb_array_elements_text(t.registration -> 'alertThresholdsPercent')
    where value::int <= percent_spent(p_spent, p_budget)
      and not exists (select 1 from alert where account_id = p_account and subject_id is not distinct from p_subject
                      and period = p_period and threshold_percent = value::int)
    order by 1
  loop
    v_alert := gen_random_uuid();
    v_event := event_append(t.id, 'budget.threshold_reached', jsonb_build_object(
      'alertId', v_alert, 'scope', p_scope, 'subjectId', p_subject, 'period', p_period,
      'thresholdPercent', threshold, 'spentNanoEur', p_spent::text, 'budgetNanoEur', p_budget::text));
    insert into alert (id, tenant_id, account_id, scope, subject_id, period, threshold_percent, spent, budget, event_id)
    values (v_alert, t.id, p_account, p_scope, p_subject, p_period, threshold, p_spent, p_budget, v_event);
    insert into delivery (alert_id, tenant_id, channel, recipient)
    select v_alert, t.id, 'mail', owner from jsonb_array_elements_text(coalesce(t.registration -> 'owners', '[]')) owner
    union
    select v_alert, t.id, 'webhook', url from webhook where tenant_id = t.id;
    perform pg_notify('cloudfreedom_delivery', '');
  end loop;
end $$;

-- Both triggers are on the path of every request, so they do little for most: their WHEN is bare comparisons (a function
-- there is planned anew by every statement, which took 0.2 ms), and only when the whole percent grows can a threshold
-- have been reached. A settlement never fails because it cannot be told of: what could not be fired is fired with the
-- next percent. The inner block is there for that, and is entered only then: it costs a subtransaction.
create function balance_alert() returns trigger language plpgsql as $$
declare
  v_spent bigint := new.posted - new.posted_before;
  v_budget bigint := new.granted - new.posted_before;
  v_before int := 0;
begin
  if new.period = old.period then
    v_before := percent_spent(old.posted - old.posted_before, old.granted - old.posted_before);
  end if;
  if percent_spent(v_spent, v_budget) > v_before then
    begin
      perform alert_fire(new.account_id, 'tenant', null, new.period, v_spent, v_budget);
    exception when others then
      raise warning 'an alert of account % could not be fired: %', new.account_id, sqlerrm;
    end;
  end if;
  return null;
end $$;
create trigger balance_reaches_threshold after update on balance for each row
  when (new.posted <> old.posted or new.granted <> old.granted) execute function balance_alert();

create function sub_balance_alert() returns trigger language plpgsql as $$
begin
  if percent_spent(new.posted, new.wished) > percent_spent(old.posted, old.wished) then
    begin
      perform alert_fire(new.account_id, new.kind, new.subject_id, new.period, new.posted, new.wished);
    exception when others then
      raise warning 'an alert of % % could not be fired: %', new.kind, new.subject_id, sqlerrm;
    end;
  end if;
  return null;
end $$;
create trigger sub_balance_reaches_threshold after update on sub_balance for each row
  when (new.posted <> old.posted or new.wished is distinct from old.wished) execute function sub_balance_alert();
