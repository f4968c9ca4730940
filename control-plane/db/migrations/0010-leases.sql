-- Leases: a slice of a budget that one gateway holds in advance, to authorise from while it cannot reach us.
-- A lease is a hold like any other, so leases are disjoint and invariant 1 covers them. What a leased call cost moves
-- from the lease's hold to a hold of its own and is posted there, when the gateway tells of it. A void of the lease, or
-- its expiry, returns the rest.

-- What the gateway was told it may count on; calls made within the lease are billed by it, whatever changed meanwhile.
create table lease (
  account_id bigint not null,
  lease_id uuid not null,
  tenant_revision bigint not null,
  catalogue_revision bigint not null,
  basis jsonb not null,
  primary key (account_id, lease_id),
  foreign key (account_id, lease_id) references hold
);

-- Takes a lease, or makes one last longer: that moves no money and writes no line. outcome:
--   granted   amount is what is left of it
--   denied    too little is free, prices or models are no longer those it was made on, or money waits to be taken back
--             that is kept for it: give it back
--   ended     it was returned or has expired, or the id is another thing's: take one with a new id
--   stale     priced from an outdated catalogue or tenant
-- A new one is p_wished, but at most a p_share-th of what is free; less than p_least is not worth its lines. It may grow
-- to be twice that share as the budget is spent, and is then given back.
create type lease_result as (outcome text, amount bigint);

create function ledger_lease(
  p_account bigint, p_lease uuid, p_tenant bigint, p_tenant_revision bigint, p_catalogue_revision bigint,
  p_basis jsonb, p_wished bigint, p_least bigint, p_share bigint, p_hold_ms bigint, p_now timestamptz
) returns lease_result language plpgsql as $$
declare
  b balance;
  h hold;
  v_free bigint;
begin
  perform ledger_expire_overdue(p_account, '{}', p_now);
  b := ledger_lock(p_account, p_now);
  v_free := b.granted - b.posted - b.held;
  select * into h from hold where account_id = p_account and request_id = p_lease;
  if found and (h.state <> 'held' or h.lease_id is distinct from p_lease) then
    return ('ended', 0)::lease_result;
  elsif not exists (select 1 from tenant t cross join catalogue g
                    where t.id = p_tenant and t.revision = p_tenant_revision and g.revision = p_catalogue_revision) then
    return ('stale', 0)::lease_result;
  elsif h.state is not null then
    if h.amount * p_share > 2 * (v_free + h.amount) or b.unsettled or h.period <> b.period or not exists (
      select 1 from lease l where l.account_id = p_account and l.lease_id = p_lease
        and l.tenant_revision = p_tenant_revision and l.catalogue_revision = p_catalogue_revision
    ) then
      return ('denied', 0)::lease_result;
    end if;
    update hold set expires_at = greatest(expires_at, b.changed_at + p_hold_ms * interval '1 millisecond')
    where account_id = p_account and request_id = p_lease;
    return ('granted', h.amount)::lease_result;
  end if;
  h.amount := least(p_wished, v_free / p_share);
  if h.amount < p_least then
    return ('denied', 0)::lease_result;
  end if;
  insert into hold (account_id, request_id, lease_id, payload, state, amount, period, expires_at, created_at)
  values (p_account, p_lease, p_lease, sha256(convert_to(p_lease::text, 'UTF8')), 'held', h.amount, b.period,
          b.changed_at + p_hold_ms * interval '1 millisecond', b.changed_at) returning * into h;
  insert into lease (account_id, lease_id, tenant_revision, catalogue_revision, basis)
  values (p_account, p_lease, p_tenant_revision, p_catalogue_revision, p_basis);
  b := ledger_book(b, 'lease', h.amount, null, null, h);
  perform ledger_store(b);
  return ('granted', h.amount)::lease_result;
end $$;

-- A subject's held money, for what was allowed before it is told: a limit set meanwhile does not undo the call.
create function sub_hold(p_account bigint, p_kind text, p_subject uuid, p_period text, p_amount bigint) returns void
language plpgsql as $$
begin
  if p_subject is null then
    return;
  elsif not exists (select 1 from sub_balance where subject_id = p_subject and period = p_period) then
    perform ledger_open_sub(p_account, p_kind, p_subject, p_period);
  end if;
  update sub_balance set held = held + p_amount,
    budget = case when budget is not null then greatest(budget, posted + held + p_amount) end
  where subject_id = p_subject and period = p_period;
end $$;

-- Gives a call that was made within a lease what it cost, as a hold of its own, out of the lease's: held stays what it
-- is. The hold is as old as the lease, for the money that was kept for the lease is kept for it. Where the lease has
-- ended, the request is one whose hold is over: its settlement is late. A void that came first (its gateway was thought
-- lost) does not count, for the call was made. A request that is known in any other way stays as it is.
create function ledger_draw(
  p_account bigint, p_lease uuid, p_request uuid, p_payload bytea, p_amount bigint, p_max_output_tokens bigint,
  p_tenant bigint, p_key bytea, p_user jsonb, p_terms jsonb, p_trace text, p_hold_ms bigint, p_now timestamptz
) returns void language plpgsql as $$
declare
  b balance;
  l hold;
  h hold;
  k api_key;
  v_member uuid;
  v_in_time boolean;
begin
  -- A lease is not over before somebody has found it so: its settlements may come in the instant that ends it.
  perform ledger_expire_overdue(p_account, array[p_lease, p_request], p_now);
  b := ledger_lock(p_account, p_now);
  select * into h from hold where account_id = p_account and request_id = p_request;
  if h.payload is not null then
    return;
  end if;
  select * into strict l from hold where account_id = p_account and request_id = p_lease and lease_id = p_lease;
  v_in_time := l.state = 'held' and l.amount >= p_amount;
  -- A key that was revoked meanwhile was good when the call was made.
  select * into k from api_key where tenant_id = p_tenant and sha256 = p_key;
  v_member := case when k.kind = 'chat' and p_user is not null then member_of_chat(p_tenant, p_user) else k.member_id end;
  insert into hold (account_id, request_id, lease_id, payload, state, reason, amount, max_output_tokens, period,
                    expires_at, member_id, key_id, trace_id, terms, created_at, closed_at)
  values (p_account, p_request, p_lease, p_payload, case when v_in_time then 'held' else 'expired' end,
          case when not v_in_time then 'lease_ended' end, p_amount, p_max_output_tokens,
          case when v_in_time then l.period else b.period end, b.changed_at + p_hold_ms * interval '1 millisecond',
          v_member, k.id, p_trace, p_terms, case when v_in_time then l.created_at else b.changed_at end,
          case when not v_in_time then b.changed_at end)
  on conflict (account_id, request_id) do update set
    lease_id = excluded.lease_id, payload = excluded.payload, state = excluded.state, reason = excluded.reason,
    amount = excluded.amount, max_output_tokens = excluded.max_output_tokens, period = excluded.period,
    expires_at = excluded.expires_at, member_id = excluded.member_id, key_id = excluded.key_id,
    trace_id = excluded.trace_id, terms = excluded.terms, created_at = excluded.created_at, closed_at = excluded.closed_at
  returning * into h;
  perform sub_hold(p_account, 'user', v_member, h.period, case when v_in_time then p_amount else 0 end);
  perform sub_hold(p_account, 'key', case when k.kind = 'api' then k.id end, h.period,
                   case when v_in_time then p_amount else 0 end);
  if not v_in_time then
    return;
  end if;
  update hold set amount = amount - p_amount where account_id = p_account and request_id = p_lease;
  b := ledger_book(b, 'draw', p_amount, p_lease::text, null, h);
  b := ledger_book(b, 'hold', p_amount, 'leased', null, h);
  perform ledger_store(b);
end $$;

-- Draws and settles in one transaction, however often it is told.
create function ledger_settle_leased(
  p_operation jsonb, p_account bigint, p_lease uuid, p_request uuid, p_payload bytea, p_amount bigint,
  p_max_output_tokens bigint, p_tenant bigint, p_key bytea, p_user jsonb, p_terms jsonb, p_trace text,
  p_hold_ms bigint, p_now timestamptz
) returns table (i integer, r ledger_result) language plpgsql as $$
begin
  perform ledger_draw(p_account, p_lease, p_request, p_payload, p_amount, p_max_output_tokens, p_tenant, p_key, p_user,
                      p_terms, p_trace, p_hold_ms, p_now);
  return query select a.i, a.r from ledger_apply(jsonb_build_array(p_operation), array[p_account], p_now) a;
end $$;
