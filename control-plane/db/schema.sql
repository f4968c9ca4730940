-- Generated from db/migrations by `node control-plane/src/database/generate-schema.ts`. Do not edit.

create table account (
  id bigint generated always as identity not null,
  tenant_id bigint not null,
  kind text not null,
  subject_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint account_check CHECK (((kind = 'tenant'::text) = (subject_id IS NULL))),
  constraint account_kind_check CHECK ((kind = ANY (ARRAY['tenant'::text, 'user'::text, 'key'::text]))),
  constraint account_pkey PRIMARY KEY (id),
  constraint account_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint account_tenant_id_kind_subject_id_key UNIQUE NULLS NOT DISTINCT (tenant_id, kind, subject_id)
);

create table api_key (
  id uuid default gen_random_uuid() not null,
  tenant_id bigint not null,
  member_id uuid,
  kind text not null,
  name text not null,
  sha256 bytea not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint api_key_kind_check CHECK ((kind = ANY (ARRAY['api'::text, 'chat'::text]))),
  constraint api_key_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id),
  constraint api_key_pkey PRIMARY KEY (id),
  constraint api_key_sha256_check CHECK ((octet_length(sha256) = 32)),
  constraint api_key_sha256_key UNIQUE (sha256),
  constraint api_key_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table balance (
  account_id bigint not null,
  granted bigint default 0 not null,
  posted bigint default 0 not null,
  held bigint default 0 not null,
  overrun bigint default 0 not null,
  sequence bigint default 0 not null,
  changed_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  period text not null,
  period_ends_at timestamp with time zone not null,
  posted_before bigint default 0 not null,
  overrun_before bigint default 0 not null,
  restored bigint default 0 not null,
  plan_target bigint default 0 not null,
  plan_granted bigint default 0 not null,
  plan_left bigint default 0 not null,
  earlier_held bigint default 0 not null,
  earlier_plan bigint default 0 not null,
  constraint balance_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint balance_check CHECK (((posted_before >= 0) AND (posted_before <= posted))),
  constraint balance_check1 CHECK (((overrun_before >= 0) AND (overrun_before <= overrun))),
  constraint balance_check2 CHECK (((restored >= 0) AND (restored <= (posted - posted_before)))),
  constraint balance_check3 CHECK (((plan_left >= 0) AND (plan_left <= plan_granted))),
  constraint balance_check4 CHECK (((earlier_held >= 0) AND (earlier_held <= held))),
  constraint balance_check5 CHECK (((earlier_plan >= 0) AND (earlier_plan <= earlier_held))),
  constraint balance_granted_check CHECK ((granted >= 0)),
  constraint balance_held_check CHECK ((held >= 0)),
  constraint balance_overrun_check CHECK ((overrun >= 0)),
  constraint balance_period_check CHECK ((period ~ '^\d{4}-\d{2}$'::text)),
  constraint balance_pkey PRIMARY KEY (account_id),
  constraint balance_plan_granted_check CHECK ((plan_granted >= 0)),
  constraint balance_plan_target_check CHECK ((plan_target >= 0)),
  constraint balance_posted_check CHECK ((posted >= 0)),
  constraint balance_sequence_check CHECK ((sequence >= 0)),
  constraint never_overspent CHECK (((posted + held) <= granted)),
  constraint plan_within_grants CHECK ((((posted + plan_left) + earlier_plan) <= granted))
) with (fillfactor=50);

create table catalogue (
  singleton boolean default true not null,
  revision bigint default 0 not null,
  constraint catalogue_pkey PRIMARY KEY (singleton),
  constraint catalogue_singleton_check CHECK (singleton)
);

create table exchange_rate (
  day date not null,
  usd_per_eur_micro bigint not null,
  source text not null,
  created_at timestamp with time zone default now() not null,
  constraint exchange_rate_pkey PRIMARY KEY (day),
  constraint exchange_rate_usd_per_eur_micro_check CHECK ((usd_per_eur_micro > 0))
);

create table hold (
  account_id bigint not null,
  request_id uuid not null,
  payload bytea,
  state text not null,
  reason text,
  amount bigint not null,
  max_output_tokens bigint default 0 not null,
  period text not null,
  expires_at timestamp with time zone,
  member_id uuid,
  key_id uuid,
  trace_id text,
  terms jsonb,
  created_at timestamp with time zone not null,
  closed_at timestamp with time zone,
  constraint hold_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint hold_amount_check CHECK ((amount >= 0)),
  constraint hold_check CHECK (((state <> 'held'::text) OR ((expires_at IS NOT NULL) AND (terms IS NOT NULL) AND (payload IS NOT NULL) AND (closed_at IS NULL)))),
  constraint hold_payload_check CHECK ((octet_length(payload) = 32)),
  constraint hold_pkey PRIMARY KEY (account_id, request_id),
  constraint hold_state_check CHECK ((state = ANY (ARRAY['held'::text, 'posted'::text, 'voided'::text, 'expired'::text, 'refused'::text])))
) with (fillfactor=70);

create table ledger_entry (
  account_id bigint not null,
  sequence bigint not null,
  at timestamp with time zone not null,
  kind text not null,
  period text not null,
  request_id uuid,
  amount bigint not null,
  released bigint default 0 not null,
  granted_after bigint not null,
  posted_after bigint not null,
  held_after bigint not null,
  overrun_after bigint not null,
  reason text,
  constraint a_post_stays_in_its_hold CHECK (((released = 0) OR (amount <= released))),
  constraint a_refusal_was_right CHECK (((kind <> 'refuse'::text) OR (((posted_after + held_after) + amount) > granted_after))),
  constraint ledger_entry_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint ledger_entry_check CHECK (((amount >= 0) OR (kind = 'grant'::text))),
  constraint ledger_entry_granted_after_check CHECK ((granted_after >= 0)),
  constraint ledger_entry_held_after_check CHECK ((held_after >= 0)),
  constraint ledger_entry_kind_check CHECK ((kind = ANY (ARRAY['grant'::text, 'lapse'::text, 'hold'::text, 'post'::text, 'void'::text, 'expire'::text, 'refuse'::text, 'overrun'::text]))),
  constraint ledger_entry_overrun_after_check CHECK ((overrun_after >= 0)),
  constraint ledger_entry_pkey PRIMARY KEY (account_id, sequence),
  constraint ledger_entry_posted_after_check CHECK ((posted_after >= 0)),
  constraint ledger_entry_released_check CHECK ((released >= 0)),
  constraint ledger_entry_sequence_check CHECK ((sequence > 0)),
  constraint never_overspent CHECK (((posted_after + held_after) <= granted_after)),
  constraint only_a_post_releases CHECK (((released = 0) OR (kind = 'post'::text)))
);

create table ledger_grant (
  id uuid default gen_random_uuid() not null,
  account_id bigint not null,
  idempotency_key text not null,
  payload bytea not null,
  source text not null,
  amount bigint not null,
  note text,
  period text not null,
  sequence bigint not null,
  created_at timestamp with time zone not null,
  constraint ledger_grant_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint ledger_grant_account_id_idempotency_key_key UNIQUE (account_id, idempotency_key),
  constraint ledger_grant_payload_check CHECK ((octet_length(payload) = 32)),
  constraint ledger_grant_pkey PRIMARY KEY (id),
  constraint ledger_grant_source_check CHECK ((source = ANY (ARRAY['plan'::text, 'top_up'::text, 'promotion'::text, 'correction'::text]))),
  constraint only_a_correction_takes CHECK (((amount >= 0) OR (source = 'correction'::text)))
);

create table member (
  id uuid default gen_random_uuid() not null,
  tenant_id bigint not null,
  external_id text,
  email text,
  name text,
  role text not null,
  created_at timestamp with time zone default now() not null,
  constraint member_pkey PRIMARY KEY (id),
  constraint member_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table model (
  name text not null,
  registration jsonb not null,
  changed_at timestamp with time zone default now() not null,
  constraint model_pkey PRIMARY KEY (name)
);

create table plan (
  name text not null,
  registration jsonb not null,
  changed_at timestamp with time zone default now() not null,
  constraint plan_pkey PRIMARY KEY (name)
);

create table tenant (
  id bigint generated always as identity not null,
  name text not null,
  registration jsonb not null,
  revision bigint default 1 not null,
  time_zone text not null,
  gateway_credential bytea not null,
  state text default 'open'::text not null,
  created_at timestamp with time zone default now() not null,
  changed_at timestamp with time zone default now() not null,
  constraint tenant_gateway_credential_check CHECK ((octet_length(gateway_credential) = 32)),
  constraint tenant_pkey PRIMARY KEY (id),
  constraint tenant_state_check CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text, 'erased'::text])))
);

create table usage_line (
  account_id bigint not null,
  request_id uuid not null,
  sequence bigint not null,
  at timestamp with time zone not null,
  settlement bytea not null,
  late boolean not null,
  finish text not null,
  cache_hit boolean not null,
  model_served text not null,
  input_tokens bigint not null,
  cached_input_tokens bigint not null,
  cache_write_tokens bigint not null,
  output_tokens bigint not null,
  images bigint not null,
  hold bigint not null,
  cost bigint not null,
  margin bigint not null,
  total bigint not null,
  posted bigint not null,
  overrun bigint not null,
  member_id uuid,
  key_id uuid,
  trace_id text,
  prices jsonb,
  terms jsonb not null,
  started_at timestamp with time zone not null,
  first_token_at timestamp with time zone,
  ended_at timestamp with time zone not null,
  constraint total_is_cost_and_margin CHECK ((total = (cost + margin))),
  constraint total_is_posted_and_overrun CHECK ((total = (posted + overrun))),
  constraint usage_line_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint usage_line_cache_write_tokens_check CHECK ((cache_write_tokens >= 0)),
  constraint usage_line_cached_input_tokens_check CHECK ((cached_input_tokens >= 0)),
  constraint usage_line_cost_check CHECK ((cost >= 0)),
  constraint usage_line_finish_check CHECK ((finish = ANY (ARRAY['complete'::text, 'interrupted'::text]))),
  constraint usage_line_hold_check CHECK ((hold >= 0)),
  constraint usage_line_images_check CHECK ((images >= 0)),
  constraint usage_line_input_tokens_check CHECK ((input_tokens >= 0)),
  constraint usage_line_margin_check CHECK ((margin >= 0)),
  constraint usage_line_output_tokens_check CHECK ((output_tokens >= 0)),
  constraint usage_line_overrun_check CHECK ((overrun >= 0)),
  constraint usage_line_pkey PRIMARY KEY (account_id, request_id),
  constraint usage_line_posted_check CHECK ((posted >= 0)),
  constraint usage_line_settlement_check CHECK ((octet_length(settlement) = 32))
);

CREATE UNIQUE INDEX api_key_one_chat_key ON public.api_key USING btree (tenant_id) WHERE ((kind = 'chat'::text) AND (revoked_at IS NULL));

CREATE INDEX api_key_page ON public.api_key USING btree (tenant_id, created_at, id);

CREATE INDEX hold_overdue ON public.hold USING btree (account_id, expires_at) WHERE (state = 'held'::text);

CREATE INDEX hold_sweep ON public.hold USING btree (expires_at) WHERE (state = 'held'::text);

CREATE UNIQUE INDEX ledger_entry_once ON public.ledger_entry USING btree (account_id, request_id, kind) WHERE (request_id IS NOT NULL);

CREATE UNIQUE INDEX ledger_grant_page ON public.ledger_grant USING btree (account_id, sequence);

CREATE UNIQUE INDEX member_email ON public.member USING btree (tenant_id, lower(email));

CREATE UNIQUE INDEX member_external_id ON public.member USING btree (tenant_id, external_id);

CREATE INDEX member_page ON public.member USING btree (tenant_id, created_at, id);

CREATE UNIQUE INDEX tenant_gateway_credential ON public.tenant USING btree (gateway_credential) WHERE (state <> 'erased'::text);

CREATE UNIQUE INDEX tenant_name ON public.tenant USING btree (name) WHERE (state <> 'erased'::text);

CREATE UNIQUE INDEX usage_line_page ON public.usage_line USING btree (account_id, sequence);

CREATE TRIGGER ledger_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER ledger_grant_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_grant FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER model_changes_catalogue AFTER INSERT OR DELETE OR UPDATE ON public.model FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

CREATE TRIGGER rate_changes_catalogue AFTER INSERT OR DELETE OR UPDATE ON public.exchange_rate FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

CREATE TRIGGER usage_line_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.usage_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- the owner itself may only insert, maintain, references, select, trigger ledger_entry

-- the owner itself may only insert, maintain, references, select, trigger ledger_grant

-- the owner itself may only insert, maintain, references, select, trigger usage_line

create type authorise_result as (
  outcome text,
  reason text,
  amount bigint,
  max_output_tokens bigint,
  expires_at timestamp with time zone,
  resets_at timestamp with time zone,
  granted bigint,
  posted bigint,
  held bigint,
  next_expiry timestamp with time zone,
  replayed boolean
);

create type grant_result as (
  outcome text,
  id uuid,
  source text,
  amount bigint,
  note text,
  period text,
  sequence bigint,
  created_at timestamp with time zone
);

create type settle_result as (
  outcome text,
  late boolean,
  hold bigint,
  cost bigint,
  margin bigint,
  total bigint,
  posted bigint,
  overrun bigint,
  sequence bigint
);

create view ledger_faults as
 WITH line AS (
         SELECT e.account_id,
            e.sequence,
            e.at,
            e.kind,
            e.period,
            e.request_id,
            e.amount,
            e.released,
            e.granted_after,
            e.posted_after,
            e.held_after,
            e.overrun_after,
            e.reason,
            row_number() OVER w AS ordinal,
            sum(
                CASE e.kind
                    WHEN 'grant'::text THEN e.amount
                    WHEN 'lapse'::text THEN - e.amount
                    ELSE 0::bigint
                END) OVER w AS granted,
            sum(
                CASE e.kind
                    WHEN 'post'::text THEN e.amount
                    ELSE 0::bigint
                END) OVER w AS posted,
            sum(
                CASE e.kind
                    WHEN 'hold'::text THEN e.amount
                    WHEN 'post'::text THEN - e.released
                    WHEN 'void'::text THEN - e.amount
                    WHEN 'expire'::text THEN - e.amount
                    ELSE 0::bigint
                END) OVER w AS held,
            sum(
                CASE e.kind
                    WHEN 'overrun'::text THEN e.amount
                    ELSE 0::bigint
                END) OVER w AS overrun
           FROM ledger_entry e
          WINDOW w AS (PARTITION BY e.account_id ORDER BY e.sequence)
        ), last AS (
         SELECT DISTINCT ON (line.account_id) line.account_id,
            line.sequence,
            line.at,
            line.kind,
            line.period,
            line.request_id,
            line.amount,
            line.released,
            line.granted_after,
            line.posted_after,
            line.held_after,
            line.overrun_after,
            line.reason,
            line.ordinal,
            line.granted,
            line.posted,
            line.held,
            line.overrun
           FROM line
          ORDER BY line.account_id, line.sequence DESC
        ), live AS (
         SELECT hold.account_id,
            sum(hold.amount) AS held
           FROM hold
          WHERE hold.state = 'held'::text
          GROUP BY hold.account_id
        )
 SELECT line.account_id,
    ('line '::text || line.sequence) || ' does not follow from the lines before it'::text AS fault
   FROM line
  WHERE line.ordinal <> line.sequence OR line.granted <> line.granted_after::numeric OR line.posted <> line.posted_after::numeric OR line.held <> line.held_after::numeric OR line.overrun <> line.overrun_after::numeric
UNION ALL
 SELECT b.account_id,
    'the balance is not what its lines say'::text AS fault
   FROM balance b
     LEFT JOIN last l USING (account_id)
  WHERE b.granted IS DISTINCT FROM COALESCE(l.granted_after, 0::bigint) OR b.posted IS DISTINCT FROM COALESCE(l.posted_after, 0::bigint) OR b.held IS DISTINCT FROM COALESCE(l.held_after, 0::bigint) OR b.overrun IS DISTINCT FROM COALESCE(l.overrun_after, 0::bigint) OR b.sequence IS DISTINCT FROM COALESCE(l.sequence, 0::bigint)
UNION ALL
 SELECT b.account_id,
    'held is not the sum of the live holds'::text AS fault
   FROM balance b
     LEFT JOIN live USING (account_id)
  WHERE b.held::numeric <> COALESCE(live.held, 0::numeric)
UNION ALL
 SELECT h.account_id,
    ('request '::text || h.request_id) || ' has no single end'::text AS fault
   FROM hold h
     LEFT JOIN ledger_entry e USING (account_id, request_id)
  GROUP BY h.account_id, h.request_id, h.state, h.payload
 HAVING h.payload IS NOT NULL AND (count(*) FILTER (WHERE e.kind = 'hold'::text) <> (h.state <> 'refused'::text)::integer OR count(*) FILTER (WHERE e.kind = 'refuse'::text) <> (h.state = 'refused'::text)::integer OR count(*) FILTER (WHERE e.kind = 'post'::text) <> (h.state = 'posted'::text)::integer OR count(*) FILTER (WHERE e.kind = ANY (ARRAY['void'::text, 'expire'::text])) > (h.state = ANY (ARRAY['voided'::text, 'expired'::text, 'posted'::text]))::integer OR count(*) FILTER (WHERE e.kind = ANY (ARRAY['void'::text, 'expire'::text])) < (h.state = ANY (ARRAY['voided'::text, 'expired'::text]))::integer)
UNION ALL
 SELECT u.account_id,
    ('request '::text || u.request_id) || ' was billed otherwise than its line says'::text AS fault
   FROM usage_line u
     LEFT JOIN ledger_entry e ON e.account_id = u.account_id AND e.request_id = u.request_id AND (e.kind = ANY (ARRAY['post'::text, 'overrun'::text]))
  GROUP BY u.account_id, u.request_id, u.total
 HAVING u.total::numeric <> COALESCE(sum(e.amount), 0::numeric)
UNION ALL
 SELECT g.account_id,
    'a grant has no line'::text AS fault
   FROM ledger_grant g
     LEFT JOIN ledger_entry e ON e.account_id = g.account_id AND e.sequence = g.sequence AND e.kind = 'grant'::text AND e.amount = g.amount
  WHERE e.sequence IS NULL;

CREATE OR REPLACE FUNCTION public.catalogue_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update catalogue set revision = revision + 1;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_add_grant(p_account bigint, p_key text, p_payload bytea, p_source text, p_amount bigint, p_note text, p_now timestamp with time zone)
 RETURNS grant_result
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_assert_balanced()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  f record;
begin
  select * into f from ledger_faults limit 1;
  if found then
    raise exception 'account %: %', f.account_id, f.fault using errcode = 'CF002';
  end if;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_authorise(p_account bigint, p_tenant bigint, p_tenant_revision bigint, p_catalogue_revision bigint, p_request uuid, p_payload bytea, p_key bytea, p_user jsonb, p_amount bigint, p_max_output_tokens bigint, p_terms jsonb, p_hold_ms bigint, p_trace text, p_now timestamp with time zone)
 RETURNS authorise_result
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_book(b balance, kind text, amount bigint, released bigint, request uuid, reason text)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_budget(p_account bigint, p_now timestamp with time zone)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
declare
  b balance;
begin
  select * into strict b from balance where account_id = p_account;
  if coalesce(p_now, clock_timestamp()) >= b.period_ends_at then
    b := ledger_lock(p_account, p_now);
  end if;
  return b;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_expire_overdue(b balance)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_fill_plan(b balance)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_lock(p_account bigint, p_now timestamp with time zone)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_set_plan(p_tenant bigint, p_target bigint, p_now timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_settle(p_account bigint, p_request uuid, p_settlement bytea, p_model_served text, p_input bigint, p_cached bigint, p_cache_write bigint, p_output bigint, p_images bigint, p_cost bigint, p_margin bigint, p_prices jsonb, p_cache_hit boolean, p_finish text, p_started timestamp with time zone, p_first_token timestamp with time zone, p_ended timestamp with time zone, p_trace text, p_now timestamp with time zone)
 RETURNS settle_result
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_store(b balance)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  update balance set
    granted = b.granted, posted = b.posted, held = b.held, overrun = b.overrun, sequence = b.sequence,
    changed_at = b.changed_at, period = b.period, period_ends_at = b.period_ends_at,
    posted_before = b.posted_before, overrun_before = b.overrun_before, restored = b.restored,
    plan_target = b.plan_target, plan_granted = b.plan_granted, plan_left = b.plan_left,
    earlier_held = b.earlier_held, earlier_plan = b.earlier_plan
  where account_id = b.account_id;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_sweep(p_account bigint, p_now timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_trim(b balance)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_void(p_account bigint, p_request uuid, p_reason text, p_now timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.member_of_chat(p_tenant bigint, p_user jsonb)
 RETURNS uuid
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.period_end(period text, zone text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
RETURN ((((period || '-01'::text))::timestamp without time zone + '1 mon'::interval) AT TIME ZONE zone)
;

CREATE OR REPLACE FUNCTION public.period_of(at timestamp with time zone, zone text)
 RETURNS text
 LANGUAGE sql
 STABLE
RETURN to_char((at AT TIME ZONE zone), 'YYYY-MM'::text)
;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% is append-only: write a new line that corrects the old one', tg_table_name using errcode = 'CF001';
end $function$
;
