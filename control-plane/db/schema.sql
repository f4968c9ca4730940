-- Generated from db/migrations by `node control-plane/src/database/generate-schema.ts`. Do not edit.

create table account (
  id bigint generated always as identity not null,
  tenant_id bigint not null,
  created_at timestamp with time zone default now() not null,
  constraint account_pkey PRIMARY KEY (id),
  constraint account_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint account_tenant_id_key UNIQUE (tenant_id)
);

create table address_change (
  token_sha256 bytea not null,
  person_id uuid not null,
  kind text not null,
  email text not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  expires_at timestamp with time zone not null,
  constraint address_change_email_check CHECK ((length(email) <= 254)),
  constraint address_change_kind_check CHECK ((kind = ANY (ARRAY['confirm'::text, 'undo'::text]))),
  constraint address_change_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint address_change_pkey PRIMARY KEY (token_sha256),
  constraint address_change_token_sha256_check CHECK ((octet_length(token_sha256) = 32))
);

create table alert (
  id uuid default gen_random_uuid() not null,
  tenant_id bigint not null,
  account_id bigint not null,
  scope text not null,
  subject_id uuid,
  period text not null,
  threshold_percent integer not null,
  spent bigint not null,
  budget bigint not null,
  at timestamp with time zone default clock_timestamp() not null,
  event_id bigint not null,
  constraint alert_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint alert_account_id_subject_id_period_threshold_percent_key UNIQUE NULLS NOT DISTINCT (account_id, subject_id, period, threshold_percent),
  constraint alert_check CHECK (((scope = 'tenant'::text) = (subject_id IS NULL))),
  constraint alert_pkey PRIMARY KEY (id),
  constraint alert_scope_check CHECK ((scope = ANY (ARRAY['tenant'::text, 'user'::text, 'key'::text]))),
  constraint alert_tenant_id_event_id_key UNIQUE (tenant_id, event_id),
  constraint alert_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint alert_threshold_percent_check CHECK (((threshold_percent >= 1) AND (threshold_percent <= 100))),
  constraint an_alert_was_right CHECK ((((spent)::numeric * (100)::numeric) >= ((threshold_percent)::numeric * (budget)::numeric)))
);

create table api_key (
  id uuid default gen_random_uuid() not null,
  tenant_id bigint not null,
  member_id uuid,
  kind text not null,
  name text not null,
  sha256 bytea,
  monthly_budget bigint,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  person_id uuid,
  scopes text[] default '{chat}'::text[] not null,
  prefix text,
  last_four text,
  last_used_at timestamp with time zone,
  api_only_sha256 bytea,
  constraint a_key_has_scopes CHECK ((cardinality(scopes) > 0)),
  constraint api_key_api_only_sha256_check CHECK ((octet_length(api_only_sha256) = 32)),
  constraint api_key_api_only_sha256_key UNIQUE (api_only_sha256),
  constraint api_key_check CHECK (((kind = 'api'::text) OR (monthly_budget IS NULL))),
  constraint api_key_kind_check CHECK ((kind = ANY (ARRAY['api'::text, 'chat'::text]))),
  constraint api_key_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id),
  constraint api_key_monthly_budget_check CHECK ((monthly_budget >= 0)),
  constraint api_key_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint api_key_pkey PRIMARY KEY (id),
  constraint api_key_sha256_check CHECK ((octet_length(sha256) = 32)),
  constraint api_key_sha256_key UNIQUE (sha256),
  constraint api_key_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint only_a_key_for_chat_is_found_by_the_gateway CHECK (
CASE
    WHEN ('chat'::text = ANY (scopes)) THEN ((sha256 IS NOT NULL) AND (api_only_sha256 IS NULL))
    ELSE ((sha256 IS NULL) AND (api_only_sha256 IS NOT NULL))
END),
  constraint the_chats_key_is_nobodys CHECK (((kind = 'api'::text) OR ((person_id IS NULL) AND (scopes = '{chat}'::text[]))))
);

create table audit_anchor (
  chain_id bigint not null,
  sequence bigint not null,
  hash bytea not null,
  count bigint not null,
  at timestamp with time zone default now() not null,
  constraint audit_anchor_chain_id_fkey FOREIGN KEY (chain_id) REFERENCES audit_chain(id),
  constraint audit_anchor_count_check CHECK ((count > 0)),
  constraint audit_anchor_hash_check CHECK ((octet_length(hash) = 32)),
  constraint audit_anchor_pkey PRIMARY KEY (chain_id, sequence)
);

create table audit_chain (
  id bigint not null,
  sequence bigint default 0 not null,
  hash bytea not null,
  at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  constraint audit_chain_hash_check CHECK ((octet_length(hash) = 32)),
  constraint audit_chain_id_check CHECK ((id >= 0)),
  constraint audit_chain_pkey PRIMARY KEY (id),
  constraint audit_chain_sequence_check CHECK ((sequence >= 0))
) with (fillfactor=50);

create table audit_entry (
  chain_id bigint not null,
  sequence bigint not null,
  at timestamp with time zone not null,
  actor_kind text not null,
  actor_id text,
  actor text,
  action text not null,
  target_kind text,
  target_id text,
  before json,
  after json,
  request_id text,
  personal bytea[] not null,
  previous bytea not null,
  hash bytea not null,
  constraint audit_entry_action_check CHECK ((action ~ '^[A-Za-z][A-Za-z0-9_.-]{0,99}$'::text)),
  constraint audit_entry_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['person'::text, 'key'::text, 'service'::text, 'admin'::text, 'operator'::text, 'kubernetes'::text, 'system'::text, 'anonymous'::text]))),
  constraint audit_entry_hash_check CHECK ((octet_length(hash) = 32)),
  constraint audit_entry_pkey PRIMARY KEY (chain_id, sequence),
  constraint audit_entry_previous_check CHECK ((octet_length(previous) = 32)),
  constraint audit_entry_sequence_check CHECK ((sequence > 0))
);

create table audit_kubernetes_object (
  uid text not null,
  kind text not null,
  name text not null,
  generation bigint not null,
  spec jsonb,
  seen_at timestamp with time zone default now() not null,
  constraint audit_kubernetes_object_pkey PRIMARY KEY (uid)
);

create table audit_personal (
  chain_id bigint not null,
  sequence bigint not null,
  place integer not null,
  subject_id uuid,
  value text,
  salt bytea,
  erased_at timestamp with time zone,
  constraint audit_personal_check CHECK ((((value IS NULL) = (salt IS NULL)) AND ((value IS NULL) = (erased_at IS NOT NULL)))),
  constraint audit_personal_pkey PRIMARY KEY (chain_id, sequence, place),
  constraint audit_personal_place_check CHECK ((place > 0)),
  constraint audit_personal_salt_check CHECK ((octet_length(salt) = 16))
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
  due_at timestamp with time zone not null,
  posted_before bigint default 0 not null,
  overrun_before bigint default 0 not null,
  restored bigint default 0 not null,
  plan_target bigint default 0 not null,
  plan_granted bigint default 0 not null,
  unsettled boolean default false not null,
  constraint balance_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint balance_check CHECK (((posted_before >= 0) AND (posted_before <= posted))),
  constraint balance_check1 CHECK (((overrun_before >= 0) AND (overrun_before <= overrun))),
  constraint balance_granted_check CHECK ((granted >= 0)),
  constraint balance_held_check CHECK ((held >= 0)),
  constraint balance_overrun_check CHECK ((overrun >= 0)),
  constraint balance_period_check CHECK ((period ~ '^\d{4}-\d{2}$'::text)),
  constraint balance_pkey PRIMARY KEY (account_id),
  constraint balance_plan_granted_check CHECK ((plan_granted >= 0)),
  constraint balance_plan_target_check CHECK ((plan_target >= 0)),
  constraint balance_posted_check CHECK ((posted >= 0)),
  constraint balance_restored_check CHECK ((restored >= 0)),
  constraint balance_sequence_check CHECK ((sequence >= 0)),
  constraint due_within_period CHECK ((due_at <= period_ends_at)),
  constraint never_overspent CHECK (((posted + held) <= granted))
) with (fillfactor=50);

create table catalogue (
  singleton boolean default true not null,
  revision bigint default 0 not null,
  constraint catalogue_pkey PRIMARY KEY (singleton),
  constraint catalogue_singleton_check CHECK (singleton)
);

create table chat_data_part (
  request_id uuid not null,
  part integer not null,
  sealed bytea not null,
  constraint chat_data_part_part_check CHECK ((part >= 0)),
  constraint chat_data_part_pkey PRIMARY KEY (request_id, part),
  constraint chat_data_part_request_id_fkey FOREIGN KEY (request_id) REFERENCES chat_data_request(id) ON DELETE CASCADE
);

create table chat_data_request (
  id uuid default gen_random_uuid() not null,
  tenant_id bigint not null,
  person_id uuid not null,
  kind text not null,
  state text default 'waiting'::text not null,
  subject bytea,
  created_at timestamp with time zone default clock_timestamp() not null,
  taken_until timestamp with time zone,
  attempts integer default 0 not null,
  last_error text,
  found bigint,
  ended_at timestamp with time zone,
  constraint chat_data_request_check CHECK (((state = 'waiting'::text) = (ended_at IS NULL))),
  constraint chat_data_request_check1 CHECK (((state = 'waiting'::text) = (subject IS NOT NULL))),
  constraint chat_data_request_found_check CHECK ((found >= 0)),
  constraint chat_data_request_kind_check CHECK ((kind = ANY (ARRAY['export'::text, 'erase'::text]))),
  constraint chat_data_request_last_error_check CHECK ((length(last_error) <= 500)),
  constraint chat_data_request_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint chat_data_request_pkey PRIMARY KEY (id),
  constraint chat_data_request_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'done'::text, 'failed'::text]))),
  constraint chat_data_request_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table chat_sign_in (
  grant_id text not null,
  tenant_id bigint not null,
  person_id uuid not null,
  session_id uuid not null,
  sid text not null,
  created_at timestamp with time zone default now() not null,
  constraint chat_sign_in_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint chat_sign_in_pkey PRIMARY KEY (grant_id),
  constraint chat_sign_in_session_id_fkey FOREIGN KEY (session_id) REFERENCES session(id) ON DELETE CASCADE,
  constraint chat_sign_in_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table delivery (
  id uuid default gen_random_uuid() not null,
  alert_id uuid not null,
  tenant_id bigint not null,
  channel text not null,
  recipient text not null,
  state text default 'pending'::text not null,
  attempts integer default 0 not null,
  next_attempt_at timestamp with time zone default clock_timestamp() not null,
  taken_until timestamp with time zone,
  last_error text,
  ended_at timestamp with time zone,
  constraint delivery_alert_id_channel_recipient_key UNIQUE (alert_id, channel, recipient),
  constraint delivery_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alert(id),
  constraint delivery_channel_check CHECK ((channel = ANY (ARRAY['mail'::text, 'webhook'::text]))),
  constraint delivery_check CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
  constraint delivery_pkey PRIMARY KEY (id),
  constraint delivery_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
  constraint delivery_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table erasure (
  person_id uuid not null,
  erased_at timestamp with time zone default clock_timestamp() not null,
  seats uuid[] not null,
  kept jsonb not null,
  keep_until date not null,
  constraint erasure_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint erasure_pkey PRIMARY KEY (person_id)
);

create table event (
  tenant_id bigint not null,
  id bigint not null,
  at timestamp with time zone default clock_timestamp() not null,
  type text not null,
  data jsonb not null,
  constraint event_id_check CHECK ((id > 0)),
  constraint event_pkey PRIMARY KEY (tenant_id, id),
  constraint event_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint event_type_check CHECK ((type ~ '^[a-z_]+(\.[a-z_]+)+$'::text))
);

create table event_counter (
  tenant_id bigint not null,
  last bigint not null,
  constraint event_counter_pkey PRIMARY KEY (tenant_id),
  constraint event_counter_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table exchange_rate (
  day date not null,
  usd_per_eur_micro bigint not null,
  source text not null,
  created_at timestamp with time zone default now() not null,
  constraint exchange_rate_pkey PRIMARY KEY (day),
  constraint exchange_rate_usd_per_eur_micro_check CHECK ((usd_per_eur_micro > 0))
);

create table file (
  tenant_id bigint not null,
  kind text not null,
  name text not null,
  content_type text not null,
  sha256 bytea not null,
  person_id uuid,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  constraint file_kind_check CHECK ((kind = ANY (ARRAY['logo'::text, 'export'::text, 'invoice'::text]))),
  constraint file_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,99}$'::text)),
  constraint file_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint file_pkey PRIMARY KEY (tenant_id, kind, name),
  constraint file_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint file_tenant_id_sha256_fkey FOREIGN KEY (tenant_id, sha256) REFERENCES file_content(tenant_id, sha256)
);

create table file_content (
  tenant_id bigint not null,
  sha256 bytea not null,
  size bigint not null,
  touched_at timestamp with time zone default now() not null,
  constraint file_content_pkey PRIMARY KEY (tenant_id, sha256),
  constraint file_content_sha256_check CHECK ((octet_length(sha256) = 32)),
  constraint file_content_size_check CHECK ((size >= 0)),
  constraint file_content_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table gateway_report (
  tenant_id bigint not null,
  gateway text not null,
  at timestamp with time zone not null,
  undelivered integer not null,
  oldest_seconds integer not null,
  dead_letters integer not null,
  open uuid[] not null,
  complete boolean not null,
  constraint gateway_report_dead_letters_check CHECK ((dead_letters >= 0)),
  constraint gateway_report_gateway_check CHECK ((length(gateway) <= 200)),
  constraint gateway_report_oldest_seconds_check CHECK ((oldest_seconds >= 0)),
  constraint gateway_report_pkey PRIMARY KEY (tenant_id, gateway),
  constraint gateway_report_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint gateway_report_undelivered_check CHECK ((undelivered >= 0))
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
  lease_id uuid,
  terms jsonb,
  created_at timestamp with time zone not null,
  closed_at timestamp with time zone,
  constraint hold_amount_check CHECK ((amount >= 0)),
  constraint hold_check CHECK (((state <> 'held'::text) OR ((expires_at IS NOT NULL) AND (payload IS NOT NULL) AND (closed_at IS NULL)))),
  constraint hold_payload_check CHECK ((octet_length(payload) = 32)),
  constraint hold_pkey PRIMARY KEY (account_id, request_id),
  constraint hold_state_check CHECK ((state = ANY (ARRAY['held'::text, 'posted'::text, 'voided'::text, 'expired'::text, 'refused'::text]))),
  constraint only_a_lease_has_no_terms CHECK (((state <> 'held'::text) OR ((terms IS NULL) = (NOT (lease_id IS DISTINCT FROM request_id)))))
) with (fillfactor=70);

create table idempotency (
  caller text not null,
  route text not null,
  key text not null,
  payload bytea not null,
  token uuid not null,
  leased_until timestamp with time zone not null,
  status integer,
  answer bytea,
  expires_at timestamp with time zone not null,
  constraint idempotency_caller_check CHECK ((length(caller) <= 120)),
  constraint idempotency_check CHECK (((status IS NULL) = (answer IS NULL))),
  constraint idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 200))),
  constraint idempotency_payload_check CHECK ((octet_length(payload) = 32)),
  constraint idempotency_pkey PRIMARY KEY (caller, route, key),
  constraint idempotency_route_check CHECK ((length(route) <= 120)),
  constraint idempotency_status_check CHECK (((status >= 200) AND (status <= 299)))
);

create table identity (
  provider text not null,
  subject text not null,
  person_id uuid not null,
  email text not null,
  created_at timestamp with time zone default now() not null,
  last_used_at timestamp with time zone default now() not null,
  constraint identity_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE,
  constraint identity_person_id_provider_key UNIQUE (person_id, provider),
  constraint identity_pkey PRIMARY KEY (provider, subject),
  constraint identity_provider_check CHECK ((provider = ANY (ARRAY['google'::text, 'github'::text, 'gitlab'::text]))),
  constraint identity_subject_check CHECK (((length(subject) >= 1) AND (length(subject) <= 255)))
);

create table invitation (
  id uuid default gen_random_uuid() not null,
  tenant_id bigint not null,
  email text not null,
  role text not null,
  token_sha256 bytea not null,
  invited_by uuid,
  language text not null,
  state text default 'pending'::text not null,
  created_at timestamp with time zone default now() not null,
  sent_at timestamp with time zone default now() not null,
  times_sent integer default 1 not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  accepted_by uuid,
  constraint invitation_accepted_by_fkey FOREIGN KEY (accepted_by) REFERENCES person(id),
  constraint invitation_check CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
  constraint invitation_check1 CHECK (((state = 'accepted'::text) = (accepted_by IS NOT NULL))),
  constraint invitation_email_check CHECK ((length(email) <= 254)),
  constraint invitation_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES person(id),
  constraint invitation_language_check CHECK ((language = ANY (ARRAY['de'::text, 'en'::text]))),
  constraint invitation_pkey PRIMARY KEY (id),
  constraint invitation_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'member'::text, 'billing'::text]))),
  constraint invitation_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'accepted'::text, 'withdrawn'::text]))),
  constraint invitation_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint invitation_times_sent_check CHECK ((times_sent > 0)),
  constraint invitation_token_sha256_check CHECK ((octet_length(token_sha256) = 32)),
  constraint invitation_token_sha256_key UNIQUE (token_sha256)
);

create table lease (
  account_id bigint not null,
  lease_id uuid not null,
  tenant_revision bigint not null,
  catalogue_revision bigint not null,
  basis jsonb not null,
  constraint lease_account_id_lease_id_fkey FOREIGN KEY (account_id, lease_id) REFERENCES hold(account_id, request_id),
  constraint lease_pkey PRIMARY KEY (account_id, lease_id)
);

create table ledger_entry (
  account_id bigint not null,
  sequence bigint not null,
  at timestamp with time zone not null,
  kind text not null,
  period text not null,
  request_id uuid,
  member_id uuid,
  key_id uuid,
  amount bigint not null,
  released bigint default 0 not null,
  granted_after bigint not null,
  posted_after bigint not null,
  held_after bigint not null,
  overrun_after bigint not null,
  reason text,
  scope text,
  scope_budget bigint,
  scope_posted bigint,
  scope_held bigint,
  reverses bigint,
  lots bigint[],
  drawn bigint[],
  constraint a_post_stays_in_its_hold CHECK (((released = 0) OR (amount <= released))),
  constraint a_refusal_was_right CHECK (((kind <> 'refuse'::text) OR (
CASE scope
    WHEN 'tenant'::text THEN ((((posted_after + held_after) + amount) > granted_after) AND ((reason = 'spent'::text) = ((posted_after + amount) > granted_after)))
    ELSE ((((scope_posted + scope_held) + amount) > scope_budget) AND ((reason = 'spent'::text) = ((scope_posted + amount) > scope_budget)))
END IS TRUE))),
  constraint a_reversal_names_its_line CHECK (((kind = ANY (ARRAY['refund'::text, 'revoke'::text])) = (reverses IS NOT NULL))),
  constraint ledger_entry_check CHECK (((amount >= 0) OR (kind = 'grant'::text))),
  constraint ledger_entry_granted_after_check CHECK ((granted_after >= 0)),
  constraint ledger_entry_held_after_check CHECK ((held_after >= 0)),
  constraint ledger_entry_kind_check CHECK ((kind = ANY (ARRAY['grant'::text, 'lapse'::text, 'lease'::text, 'hold'::text, 'draw'::text, 'post'::text, 'void'::text, 'expire'::text, 'refuse'::text, 'overrun'::text, 'refund'::text, 'revoke'::text]))),
  constraint ledger_entry_overrun_after_check CHECK ((overrun_after >= 0)),
  constraint ledger_entry_pkey PRIMARY KEY (account_id, sequence),
  constraint ledger_entry_posted_after_check CHECK ((posted_after >= 0)),
  constraint ledger_entry_released_check CHECK ((released >= 0)),
  constraint ledger_entry_scope_check CHECK ((scope = ANY (ARRAY['tenant'::text, 'user'::text, 'key'::text]))),
  constraint ledger_entry_sequence_check CHECK ((sequence > 0)),
  constraint lots_are_drawn CHECK ((NOT (cardinality(lots) IS DISTINCT FROM cardinality(drawn)))),
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
  priority integer not null,
  expires_at timestamp with time zone,
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

create table ledger_reversal (
  id uuid default gen_random_uuid() not null,
  account_id bigint not null,
  idempotency_key text not null,
  payload bytea not null,
  reverses bigint not null,
  amount bigint not null,
  note text,
  period text not null,
  sequence bigint not null,
  created_at timestamp with time zone not null,
  constraint ledger_reversal_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint ledger_reversal_account_id_idempotency_key_key UNIQUE (account_id, idempotency_key),
  constraint ledger_reversal_amount_check CHECK ((amount > 0)),
  constraint ledger_reversal_payload_check CHECK ((octet_length(payload) = 32)),
  constraint ledger_reversal_pkey PRIMARY KEY (id)
);

create table lot (
  id bigint generated always as identity not null,
  account_id bigint not null,
  grant_id uuid not null,
  source text not null,
  priority integer not null,
  period text,
  expires_at timestamp with time zone,
  amount bigint not null,
  remaining bigint not null,
  expired boolean default false not null,
  closed boolean default false not null,
  constraint lot_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint lot_amount_check CHECK ((amount > 0)),
  constraint lot_check CHECK (((remaining >= 0) AND (remaining <= amount))),
  constraint lot_check1 CHECK (((NOT closed) OR (remaining = 0))),
  constraint lot_check2 CHECK (((NOT expired) OR (expires_at IS NOT NULL))),
  constraint lot_check3 CHECK (((period IS NULL) OR (expires_at IS NOT NULL))),
  constraint lot_pkey PRIMARY KEY (id),
  constraint lot_source_check CHECK ((source = ANY (ARRAY['plan'::text, 'top_up'::text, 'promotion'::text, 'correction'::text])))
) with (fillfactor=50);

create table mail (
  id uuid default gen_random_uuid() not null,
  sealed bytea,
  state text default 'pending'::text not null,
  attempts integer default 0 not null,
  next_attempt_at timestamp with time zone default clock_timestamp() not null,
  taken_until timestamp with time zone,
  last_error text,
  created_at timestamp with time zone default clock_timestamp() not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint mail_check CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
  constraint mail_check1 CHECK (((state = 'pending'::text) = (sealed IS NOT NULL))),
  constraint mail_pkey PRIMARY KEY (id),
  constraint mail_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'dropped'::text, 'failed'::text])))
);

create table member (
  id uuid default gen_random_uuid() not null,
  tenant_id bigint not null,
  external_id text,
  email text,
  name text,
  role text not null,
  monthly_budget bigint,
  created_at timestamp with time zone default now() not null,
  removed_at timestamp with time zone,
  removed_person_id uuid,
  former_external_id text,
  constraint a_removed_member_has_no_chat CHECK (
CASE
    WHEN (removed_at IS NULL) THEN ((removed_person_id IS NULL) AND (former_external_id IS NULL))
    ELSE (external_id IS NULL)
END),
  constraint member_monthly_budget_check CHECK ((monthly_budget >= 0)),
  constraint member_pkey PRIMARY KEY (id),
  constraint member_removed_person_id_fkey FOREIGN KEY (removed_person_id) REFERENCES person(id),
  constraint member_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table membership (
  tenant_id bigint not null,
  person_id uuid not null,
  role text not null,
  member_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint membership_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id),
  constraint membership_member_id_key UNIQUE (member_id),
  constraint membership_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint membership_pkey PRIMARY KEY (tenant_id, person_id),
  constraint membership_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'billing'::text]))),
  constraint membership_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table model (
  name text not null,
  registration jsonb not null,
  changed_at timestamp with time zone default now() not null,
  constraint model_pkey PRIMARY KEY (name)
);

create table oidc_client (
  tenant_id bigint not null,
  secret_sha256 bytea not null,
  previous_sha256 bytea,
  previous_until timestamp with time zone,
  constraint oidc_client_check CHECK (((previous_sha256 IS NULL) = (previous_until IS NULL))),
  constraint oidc_client_pkey PRIMARY KEY (tenant_id),
  constraint oidc_client_previous_sha256_check CHECK ((octet_length(previous_sha256) = 32)),
  constraint oidc_client_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32)),
  constraint oidc_client_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table oidc_logout (
  id uuid default gen_random_uuid() not null,
  tenant_id bigint not null,
  person_id uuid not null,
  sid text,
  created_at timestamp with time zone default clock_timestamp() not null,
  attempts integer default 0 not null,
  next_attempt_at timestamp with time zone default clock_timestamp() not null,
  last_error text,
  state text default 'pending'::text not null,
  ended_at timestamp with time zone,
  constraint oidc_logout_check CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
  constraint oidc_logout_last_error_check CHECK ((length(last_error) <= 300)),
  constraint oidc_logout_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint oidc_logout_pkey PRIMARY KEY (id),
  constraint oidc_logout_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'heard'::text, 'given_up'::text]))),
  constraint oidc_logout_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table oidc_record (
  model text not null,
  id_sha256 bytea not null,
  payload jsonb not null,
  grant_id text,
  uid text,
  expires_at timestamp with time zone not null,
  consumed_at timestamp with time zone,
  constraint oidc_record_id_sha256_check CHECK ((octet_length(id_sha256) = 32)),
  constraint oidc_record_pkey PRIMARY KEY (model, id_sha256)
);

create table oidc_signing_key (
  kid text not null,
  sealed bytea not null,
  created_at timestamp with time zone default now() not null,
  signs_from timestamp with time zone not null,
  constraint oidc_signing_key_pkey PRIMARY KEY (kid)
);

create table passkey (
  id uuid default gen_random_uuid() not null,
  person_id uuid not null,
  credential_id bytea not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  created_at timestamp with time zone default now() not null,
  last_used_at timestamp with time zone,
  constraint passkey_counter_check CHECK ((counter >= 0)),
  constraint passkey_credential_id_check CHECK (((octet_length(credential_id) >= 1) AND (octet_length(credential_id) <= 1023))),
  constraint passkey_credential_id_key UNIQUE (credential_id),
  constraint passkey_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
  constraint passkey_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE,
  constraint passkey_pkey PRIMARY KEY (id)
);

create table passkey_challenge (
  challenge bytea not null,
  purpose text not null,
  person_id uuid,
  expires_at timestamp with time zone not null,
  constraint passkey_challenge_challenge_check CHECK ((octet_length(challenge) = 32)),
  constraint passkey_challenge_check CHECK (((purpose = 'sign_in'::text) = (person_id IS NULL))),
  constraint passkey_challenge_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE,
  constraint passkey_challenge_pkey PRIMARY KEY (challenge),
  constraint passkey_challenge_purpose_check CHECK ((purpose = ANY (ARRAY['register'::text, 'sign_in'::text, 'second_factor'::text])))
);

create table password_reset (
  token_sha256 bytea not null,
  email text not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  expires_at timestamp with time zone not null,
  constraint password_reset_pkey PRIMARY KEY (token_sha256),
  constraint password_reset_token_sha256_check CHECK ((octet_length(token_sha256) = 32))
);

create table pending_sign_in (
  token_sha256 bytea not null,
  person_id uuid not null,
  methods text[] not null,
  attempts integer default 0 not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  expires_at timestamp with time zone not null,
  constraint pending_sign_in_attempts_check CHECK ((attempts >= 0)),
  constraint pending_sign_in_methods_check CHECK ((cardinality(methods) > 0)),
  constraint pending_sign_in_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint pending_sign_in_pkey PRIMARY KEY (token_sha256),
  constraint pending_sign_in_token_sha256_check CHECK ((octet_length(token_sha256) = 32))
);

create table person (
  id uuid default gen_random_uuid() not null,
  email text,
  name text,
  language text default 'de'::text not null,
  email_verified_at timestamp with time zone,
  password_hash text,
  platform_admin boolean default false not null,
  state text default 'active'::text not null,
  created_at timestamp with time zone default now() not null,
  changed_at timestamp with time zone default now() not null,
  constraint person_check CHECK (((state = 'erased'::text) = (email IS NULL))),
  constraint person_check1 CHECK (((state <> 'erased'::text) OR ((name IS NULL) AND (password_hash IS NULL) AND (NOT platform_admin)))),
  constraint person_email_check CHECK (((length(email) >= 3) AND (length(email) <= 254))),
  constraint person_language_check CHECK ((language = ANY (ARRAY['de'::text, 'en'::text]))),
  constraint person_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
  constraint person_pkey PRIMARY KEY (id),
  constraint person_state_check CHECK ((state = ANY (ARRAY['active'::text, 'locked'::text, 'erased'::text])))
);

create table plan (
  name text not null,
  registration jsonb not null,
  changed_at timestamp with time zone default now() not null,
  constraint plan_pkey PRIMARY KEY (name)
);

create table price_snapshot (
  id text not null,
  sequence bigint generated always as identity not null,
  litellm text not null,
  prices jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint price_snapshot_id_check CHECK ((id ~ '^[0-9a-f]{64}$'::text)),
  constraint price_snapshot_pkey PRIMARY KEY (id),
  constraint price_snapshot_sequence_key UNIQUE (sequence)
);

create table provider_visit (
  state_sha256 bytea not null,
  browser_sha256 bytea not null,
  provider text not null,
  return_to text,
  link_person_id uuid,
  expires_at timestamp with time zone not null,
  constraint provider_visit_browser_sha256_check CHECK ((octet_length(browser_sha256) = 32)),
  constraint provider_visit_link_person_id_fkey FOREIGN KEY (link_person_id) REFERENCES person(id) ON DELETE CASCADE,
  constraint provider_visit_pkey PRIMARY KEY (state_sha256),
  constraint provider_visit_provider_check CHECK ((provider = ANY (ARRAY['google'::text, 'github'::text, 'gitlab'::text]))),
  constraint provider_visit_return_to_check CHECK ((length(return_to) <= 2048)),
  constraint provider_visit_state_sha256_check CHECK ((octet_length(state_sha256) = 32))
);

create table rate_window (
  bucket text not null,
  number bigint not null,
  taken bigint not null,
  ends_at timestamp with time zone not null,
  constraint rate_window_bucket_check CHECK ((length(bucket) <= 200)),
  constraint rate_window_pkey PRIMARY KEY (bucket)
) with (fillfactor=50);

create table reconciliation (
  id uuid default gen_random_uuid() not null,
  cause text not null,
  night date,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone not null,
  ok boolean not null,
  faults jsonb not null,
  figures jsonb not null,
  constraint reconciliation_cause_check CHECK ((cause = ANY (ARRAY['night'::text, 'admin'::text]))),
  constraint reconciliation_check CHECK (((cause = 'night'::text) = (night IS NOT NULL))),
  constraint reconciliation_check1 CHECK ((ok = (faults = '[]'::jsonb))),
  constraint reconciliation_night_key UNIQUE (night),
  constraint reconciliation_pkey PRIMARY KEY (id)
);

create table recovery_code (
  person_id uuid not null,
  hmac bytea not null,
  used_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint recovery_code_hmac_check CHECK ((octet_length(hmac) = 32)),
  constraint recovery_code_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE,
  constraint recovery_code_pkey PRIMARY KEY (person_id, hmac)
);

create table registration (
  id uuid default gen_random_uuid() not null,
  email text not null,
  name text not null,
  language text not null,
  password_hash text not null,
  terms_version text not null,
  token_sha256 bytea not null,
  browser_sha256 bytea not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  expires_at timestamp with time zone not null,
  constraint registration_browser_sha256_check CHECK ((octet_length(browser_sha256) = 32)),
  constraint registration_browser_sha256_key UNIQUE (browser_sha256),
  constraint registration_email_check CHECK ((length(email) <= 254)),
  constraint registration_language_check CHECK ((language = ANY (ARRAY['de'::text, 'en'::text]))),
  constraint registration_pkey PRIMARY KEY (id),
  constraint registration_token_sha256_check CHECK ((octet_length(token_sha256) = 32)),
  constraint registration_token_sha256_key UNIQUE (token_sha256)
);

create table session (
  id uuid default gen_random_uuid() not null,
  person_id uuid not null,
  token_sha256 bytea not null,
  methods text[] not null,
  address inet,
  user_agent text,
  created_at timestamp with time zone default now() not null,
  authenticated_at timestamp with time zone default now() not null,
  last_seen_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  constraint session_methods_check CHECK (((cardinality(methods) > 0) AND (methods <@ ARRAY['password'::text, 'totp'::text, 'recovery'::text, 'passkey'::text, 'google'::text, 'github'::text, 'gitlab'::text, 'confirmation'::text]))),
  constraint session_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint session_pkey PRIMARY KEY (id),
  constraint session_token_sha256_check CHECK ((octet_length(token_sha256) = 32)),
  constraint session_token_sha256_key UNIQUE (token_sha256),
  constraint session_user_agent_check CHECK ((length(user_agent) <= 300))
);

create table sub_balance (
  subject_id uuid not null,
  period text not null,
  account_id bigint not null,
  kind text not null,
  wished bigint,
  budget bigint,
  posted bigint default 0 not null,
  held bigint default 0 not null,
  constraint a_limit_is_both CHECK (((wished IS NULL) = (budget IS NULL))),
  constraint never_overspent CHECK (((posted + held) <= budget)),
  constraint sub_balance_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint sub_balance_check CHECK ((budget >= wished)),
  constraint sub_balance_held_check CHECK ((held >= 0)),
  constraint sub_balance_kind_check CHECK ((kind = ANY (ARRAY['user'::text, 'key'::text]))),
  constraint sub_balance_period_check CHECK ((period ~ '^\d{4}-\d{2}$'::text)),
  constraint sub_balance_pkey PRIMARY KEY (subject_id, period),
  constraint sub_balance_posted_check CHECK ((posted >= 0)),
  constraint sub_balance_wished_check CHECK ((wished >= 0))
) with (fillfactor=50);

create table tenant (
  id bigint generated always as identity not null,
  name text not null,
  registration jsonb not null,
  revision bigint default 1 not null,
  time_zone text not null,
  member_budget bigint,
  key_budget bigint,
  max_members integer,
  gateway_credential bytea not null,
  state text default 'open'::text not null,
  created_at timestamp with time zone default now() not null,
  changed_at timestamp with time zone default now() not null,
  constraint tenant_gateway_credential_check CHECK ((octet_length(gateway_credential) = 32)),
  constraint tenant_key_budget_check CHECK ((key_budget >= 0)),
  constraint tenant_max_members_check CHECK ((max_members > 0)),
  constraint tenant_member_budget_check CHECK ((member_budget >= 0)),
  constraint tenant_pkey PRIMARY KEY (id),
  constraint tenant_state_check CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text, 'erased'::text])))
);

create table tenant_owner (
  tenant_id bigint not null,
  address text not null,
  person_id uuid,
  taken_up_at timestamp with time zone,
  constraint tenant_owner_address_check CHECK ((address = lower(address))),
  constraint tenant_owner_check CHECK (((person_id IS NULL) = (taken_up_at IS NULL))),
  constraint tenant_owner_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint tenant_owner_pkey PRIMARY KEY (tenant_id, address),
  constraint tenant_owner_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table tenant_request (
  name text not null,
  person_id uuid not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  constraint tenant_request_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint tenant_request_pkey PRIMARY KEY (name)
);

create table tenant_status (
  tenant_id bigint not null,
  resource_version numeric not null,
  conditions jsonb not null,
  changed_at timestamp with time zone default now() not null,
  constraint tenant_status_pkey PRIMARY KEY (tenant_id),
  constraint tenant_status_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
);

create table terms_acceptance (
  person_id uuid not null,
  version text not null,
  accepted_at timestamp with time zone default clock_timestamp() not null,
  address inet,
  constraint terms_acceptance_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id),
  constraint terms_acceptance_pkey PRIMARY KEY (person_id, version)
);

create table throttle (
  rule text not null,
  subject bytea not null,
  attempts integer not null,
  blocked_until timestamp with time zone,
  forgotten_at timestamp with time zone not null,
  constraint throttle_attempts_check CHECK ((attempts >= 0)),
  constraint throttle_pkey PRIMARY KEY (rule, subject),
  constraint throttle_subject_check CHECK ((octet_length(subject) = 32))
);

create table token_key (
  kid text not null,
  public_jwk jsonb not null,
  private_key bytea not null,
  created_at timestamp with time zone default now() not null,
  constraint token_key_pkey PRIMARY KEY (kid)
);

create table told (
  account_id bigint not null,
  sequence bigint not null,
  granted bigint not null,
  posted bigint not null,
  overrun bigint not null,
  period text not null,
  at timestamp with time zone default clock_timestamp() not null,
  constraint told_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint told_pkey PRIMARY KEY (account_id)
) with (fillfactor=50);

create table totp (
  person_id uuid not null,
  secret bytea not null,
  confirmed_at timestamp with time zone,
  last_step bigint default 0 not null,
  created_at timestamp with time zone default now() not null,
  constraint totp_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(id) ON DELETE CASCADE,
  constraint totp_pkey PRIMARY KEY (person_id)
);

create table usage_line (
  account_id bigint not null,
  request_id uuid not null,
  sequence bigint not null,
  at timestamp with time zone not null,
  period text not null,
  settlement bytea not null,
  late boolean not null,
  finish text not null,
  cache_hit boolean not null,
  model_served text not null,
  input_tokens bigint not null,
  cached_input_tokens bigint not null,
  cache_write_tokens bigint not null,
  audio_input_tokens bigint not null,
  output_tokens bigint not null,
  audio_output_tokens bigint not null,
  images bigint not null,
  provider_total_tokens bigint,
  max_output_tokens bigint not null,
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
  price_snapshot text default (terms ->> 'priceSnapshot'::text),
  constraint total_is_cost_and_margin CHECK ((total = (cost + margin))),
  constraint total_is_posted_and_overrun CHECK ((total = (posted + overrun))),
  constraint usage_line_audio_input_tokens_check CHECK ((audio_input_tokens >= 0)),
  constraint usage_line_audio_output_tokens_check CHECK ((audio_output_tokens >= 0)),
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
  constraint usage_line_provider_total_tokens_check CHECK ((provider_total_tokens >= 0)),
  constraint usage_line_settlement_check CHECK ((octet_length(settlement) = 32))
);

create table usage_rolled (
  account_id bigint not null,
  through bigint not null,
  constraint usage_rolled_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  constraint usage_rolled_pkey PRIMARY KEY (account_id),
  constraint usage_rolled_through_check CHECK ((through >= 0))
) with (fillfactor=50);

create table usage_rollup (
  account_id bigint not null,
  day date not null,
  member_id uuid,
  key_id uuid,
  model text not null,
  model_served text not null,
  requests bigint not null,
  input_tokens bigint not null,
  cached_input_tokens bigint not null,
  cache_write_tokens bigint not null,
  audio_input_tokens bigint not null,
  output_tokens bigint not null,
  audio_output_tokens bigint not null,
  images bigint not null,
  cost bigint not null,
  margin bigint not null,
  total bigint not null,
  posted bigint not null,
  overrun bigint not null,
  constraint usage_rollup_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
) with (fillfactor=70);

create table waiting_identity (
  token_sha256 bytea not null,
  purpose text not null,
  provider text not null,
  subject text not null,
  email text not null,
  name text not null,
  expires_at timestamp with time zone not null,
  constraint waiting_identity_pkey PRIMARY KEY (token_sha256),
  constraint waiting_identity_provider_check CHECK ((provider = ANY (ARRAY['google'::text, 'github'::text, 'gitlab'::text]))),
  constraint waiting_identity_purpose_check CHECK ((purpose = ANY (ARRAY['terms'::text, 'link'::text]))),
  constraint waiting_identity_subject_check CHECK (((length(subject) >= 1) AND (length(subject) <= 255))),
  constraint waiting_identity_token_sha256_check CHECK ((octet_length(token_sha256) = 32))
);

create table webhook (
  tenant_id bigint not null,
  url text not null,
  secret bytea not null,
  created_at timestamp with time zone default now() not null,
  changed_at timestamp with time zone default now() not null,
  constraint webhook_pkey PRIMARY KEY (tenant_id),
  constraint webhook_secret_check CHECK ((octet_length(secret) >= 32)),
  constraint webhook_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id),
  constraint webhook_url_check CHECK ((length(url) <= 2048))
);

CREATE INDEX address_change_expiry ON public.address_change USING btree (expires_at);

CREATE INDEX address_change_person ON public.address_change USING btree (person_id);

CREATE UNIQUE INDEX api_key_one_chat_key ON public.api_key USING btree (tenant_id) WHERE ((kind = 'chat'::text) AND (revoked_at IS NULL));

CREATE INDEX api_key_page ON public.api_key USING btree (tenant_id, created_at, id);

CREATE INDEX api_key_person ON public.api_key USING btree (person_id, tenant_id) WHERE (person_id IS NOT NULL);

CREATE INDEX api_key_revoked ON public.api_key USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

CREATE INDEX audit_entry_action ON public.audit_entry USING btree (chain_id, action, sequence);

CREATE INDEX audit_entry_actor ON public.audit_entry USING btree (chain_id, actor_id, sequence) WHERE (actor_id IS NOT NULL);

CREATE INDEX audit_entry_target ON public.audit_entry USING btree (chain_id, target_id, sequence) WHERE (target_id IS NOT NULL);

CREATE INDEX audit_personal_subject ON public.audit_personal USING btree (subject_id) WHERE ((subject_id IS NOT NULL) AND (erased_at IS NULL));

CREATE UNIQUE INDEX chat_data_request_one_waiting ON public.chat_data_request USING btree (tenant_id, person_id, kind) WHERE (state = 'waiting'::text);

CREATE INDEX chat_data_request_person ON public.chat_data_request USING btree (person_id, created_at);

CREATE INDEX chat_data_request_waiting ON public.chat_data_request USING btree (tenant_id, created_at) WHERE (state = 'waiting'::text);

CREATE INDEX chat_sign_in_person ON public.chat_sign_in USING btree (person_id, tenant_id);

CREATE INDEX chat_sign_in_session ON public.chat_sign_in USING btree (session_id);

CREATE INDEX delivery_due ON public.delivery USING btree (next_attempt_at) WHERE (state = 'pending'::text);

CREATE INDEX delivery_under_way ON public.delivery USING btree (tenant_id, channel) WHERE ((state = 'pending'::text) AND (taken_until IS NOT NULL));

CREATE INDEX file_by_content ON public.file USING btree (tenant_id, sha256);

CREATE INDEX file_content_touched ON public.file_content USING btree (touched_at);

CREATE INDEX file_expired ON public.file USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX hold_overdue ON public.hold USING btree (account_id, expires_at) WHERE (state = 'held'::text);

CREATE INDEX idempotency_expiry ON public.idempotency USING btree (expires_at);

CREATE UNIQUE INDEX invitation_one_per_address ON public.invitation USING btree (tenant_id, lower(email)) WHERE (state = 'pending'::text);

CREATE INDEX invitation_page ON public.invitation USING btree (tenant_id, created_at, id);

CREATE UNIQUE INDEX ledger_entry_once ON public.ledger_entry USING btree (account_id, request_id, kind) WHERE ((request_id IS NOT NULL) AND (kind <> 'refund'::text));

CREATE UNIQUE INDEX ledger_grant_page ON public.ledger_grant USING btree (account_id, sequence);

CREATE INDEX ledger_reversal_of ON public.ledger_reversal USING btree (account_id, reverses);

CREATE UNIQUE INDEX ledger_reversal_page ON public.ledger_reversal USING btree (account_id, sequence);

CREATE INDEX lot_open ON public.lot USING btree (account_id) WHERE (NOT closed);

CREATE INDEX mail_due ON public.mail USING btree (next_attempt_at) WHERE (state = 'pending'::text);

CREATE INDEX mail_ended ON public.mail USING btree (ended_at) WHERE (state <> 'pending'::text);

CREATE UNIQUE INDEX member_email ON public.member USING btree (tenant_id, lower(email));

CREATE UNIQUE INDEX member_external_id ON public.member USING btree (tenant_id, external_id);

CREATE UNIQUE INDEX member_former_external_id ON public.member USING btree (tenant_id, former_external_id);

CREATE INDEX member_page ON public.member USING btree (tenant_id, created_at, id);

CREATE INDEX membership_person ON public.membership USING btree (person_id);

CREATE INDEX oidc_logout_due ON public.oidc_logout USING btree (next_attempt_at) WHERE (state = 'pending'::text);

CREATE INDEX oidc_logout_ended ON public.oidc_logout USING btree (ended_at) WHERE (state <> 'pending'::text);

CREATE INDEX oidc_record_expired ON public.oidc_record USING btree (expires_at);

CREATE INDEX oidc_record_grant ON public.oidc_record USING btree (grant_id) WHERE (grant_id IS NOT NULL);

CREATE INDEX oidc_record_uid ON public.oidc_record USING btree (model, uid) WHERE (uid IS NOT NULL);

CREATE INDEX passkey_challenge_overdue ON public.passkey_challenge USING btree (expires_at);

CREATE INDEX passkey_of_person ON public.passkey USING btree (person_id);

CREATE INDEX password_reset_email ON public.password_reset USING btree (lower(email));

CREATE INDEX password_reset_expiry ON public.password_reset USING btree (expires_at);

CREATE INDEX pending_sign_in_expiry ON public.pending_sign_in USING btree (expires_at);

CREATE INDEX pending_sign_in_person ON public.pending_sign_in USING btree (person_id);

CREATE UNIQUE INDEX person_email ON public.person USING btree (lower(email)) WHERE (state <> 'erased'::text);

CREATE INDEX provider_visit_overdue ON public.provider_visit USING btree (expires_at);

CREATE INDEX rate_window_end ON public.rate_window USING btree (ends_at);

CREATE INDEX reconciliation_page ON public.reconciliation USING btree (started_at, id);

CREATE INDEX registration_email ON public.registration USING btree (lower(email));

CREATE INDEX registration_expiry ON public.registration USING btree (expires_at);

CREATE INDEX session_expired ON public.session USING btree (expires_at);

CREATE INDEX session_person ON public.session USING btree (person_id, created_at) WHERE (revoked_at IS NULL);

CREATE INDEX sub_balance_account ON public.sub_balance USING btree (account_id, period);

CREATE UNIQUE INDEX tenant_gateway_credential ON public.tenant USING btree (gateway_credential) WHERE (state <> 'erased'::text);

CREATE UNIQUE INDEX tenant_name ON public.tenant USING btree (name) WHERE (state <> 'erased'::text);

CREATE INDEX tenant_owner_address ON public.tenant_owner USING btree (address) WHERE (person_id IS NULL);

CREATE INDEX tenant_request_person ON public.tenant_request USING btree (person_id);

CREATE INDEX throttle_forgotten ON public.throttle USING btree (forgotten_at);

CREATE UNIQUE INDEX usage_line_page ON public.usage_line USING btree (account_id, sequence);

CREATE UNIQUE INDEX usage_rollup_key ON public.usage_rollup USING btree (account_id, day, member_id, key_id, model, model_served) NULLS NOT DISTINCT;

CREATE INDEX waiting_identity_overdue ON public.waiting_identity USING btree (expires_at);

CREATE TRIGGER api_key_revoked AFTER UPDATE OF revoked_at ON public.api_key FOR EACH ROW WHEN (((new.kind = 'api'::text) AND (old.revoked_at IS NULL) AND (new.revoked_at IS NOT NULL))) EXECUTE FUNCTION api_key_revoked();

CREATE TRIGGER audit_anchor_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_anchor FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_anchor_is_true BEFORE INSERT ON public.audit_anchor FOR EACH ROW EXECUTE FUNCTION audit_check_anchor();

CREATE TRIGGER audit_chain_stays BEFORE DELETE OR TRUNCATE ON public.audit_chain FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR TRUNCATE ON public.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_entry_only_retention_deletes BEFORE DELETE ON public.audit_entry FOR EACH ROW EXECUTE FUNCTION audit_refuse_delete();

CREATE TRIGGER audit_personal_no_truncate BEFORE TRUNCATE ON public.audit_personal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_personal_only_erased BEFORE UPDATE ON public.audit_personal FOR EACH ROW EXECUTE FUNCTION audit_only_erase();

CREATE TRIGGER audit_personal_only_retention_deletes BEFORE DELETE ON public.audit_personal FOR EACH ROW EXECUTE FUNCTION audit_refuse_delete();

CREATE TRIGGER balance_reaches_threshold AFTER UPDATE ON public.balance FOR EACH ROW WHEN (((new.posted <> old.posted) OR (new.granted <> old.granted))) EXECUTE FUNCTION balance_alert();

CREATE TRIGGER event_append_only BEFORE UPDATE OR TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER ledger_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER ledger_grant_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_grant FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER ledger_reversal_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_reversal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER mail_rings AFTER INSERT ON public.mail FOR EACH STATEMENT EXECUTE FUNCTION mail_rings();

CREATE TRIGGER membership_gone_ends_keys AFTER DELETE ON public.membership FOR EACH ROW EXECUTE FUNCTION membership_ends_keys();

CREATE TRIGGER membership_removed_ends_chats AFTER DELETE ON public.membership FOR EACH ROW EXECUTE FUNCTION membership_ends_chats();

CREATE TRIGGER membership_without_seat_ends_chats AFTER UPDATE OF role ON public.membership FOR EACH ROW WHEN (((new.role = 'billing'::text) AND (old.role <> 'billing'::text))) EXECUTE FUNCTION membership_ends_chats();

CREATE TRIGGER membership_without_seat_ends_keys AFTER UPDATE OF role ON public.membership FOR EACH ROW WHEN (((new.role = 'billing'::text) AND (old.role <> 'billing'::text))) EXECUTE FUNCTION membership_ends_keys();

CREATE TRIGGER model_changes_catalogue AFTER INSERT OR DELETE OR UPDATE ON public.model FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

CREATE TRIGGER person_locked_ends_chats AFTER UPDATE OF state ON public.person FOR EACH ROW WHEN (((old.state = 'active'::text) AND (new.state <> 'active'::text))) EXECUTE FUNCTION person_ends_chats();

CREATE TRIGGER person_locked_ends_keys AFTER UPDATE OF state ON public.person FOR EACH ROW WHEN (((new.state <> 'active'::text) AND (old.state IS DISTINCT FROM new.state))) EXECUTE FUNCTION person_ends_keys();

CREATE TRIGGER price_snapshot_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.price_snapshot FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER prices_change_catalogue AFTER INSERT ON public.price_snapshot FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

CREATE TRIGGER rate_changes_catalogue AFTER INSERT OR DELETE OR UPDATE ON public.exchange_rate FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

CREATE TRIGGER session_revoked_ends_chats AFTER UPDATE OF revoked_at ON public.session FOR EACH ROW WHEN (((old.revoked_at IS NULL) AND (new.revoked_at IS NOT NULL))) EXECUTE FUNCTION session_ends_chats();

CREATE TRIGGER sub_balance_reaches_threshold AFTER UPDATE ON public.sub_balance FOR EACH ROW WHEN (((new.posted <> old.posted) OR (new.wished IS DISTINCT FROM old.wished))) EXECUTE FUNCTION sub_balance_alert();

CREATE TRIGGER tenant_changes_status AFTER UPDATE ON public.tenant FOR EACH ROW WHEN ((tenant_status(new.*) <> tenant_status(old.*))) EXECUTE FUNCTION tenant_tell_status();

CREATE TRIGGER tenant_changes_time_zone AFTER UPDATE OF time_zone ON public.tenant FOR EACH ROW WHEN ((old.time_zone <> new.time_zone)) EXECUTE FUNCTION usage_cut_days();

CREATE TRIGGER usage_line_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.usage_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- the owner itself may only insert, maintain, references, select, trigger audit_anchor

-- the owner itself may only insert, maintain, references, select, trigger ledger_entry

-- the owner itself may only insert, maintain, references, select, trigger ledger_grant

-- the owner itself may only insert, maintain, references, select, trigger ledger_reversal

-- the owner itself may only insert, maintain, references, select, trigger price_snapshot

-- the owner itself may only insert, maintain, references, select, trigger usage_line

create type grant_result as (
  outcome text,
  id uuid,
  source text,
  amount bigint,
  priority integer,
  expires_at timestamp with time zone,
  note text,
  period text,
  sequence bigint,
  created_at timestamp with time zone
);

create type idempotency_claimed as (
  outcome text,
  status integer,
  answer bytea
);

create type lease_result as (
  outcome text,
  amount bigint
);

create type ledger_case as (
  o ledger_operation,
  h hold,
  key_id uuid,
  key_kind text,
  member_id uuid,
  fresh boolean,
  member_known boolean,
  r ledger_result
);

create type ledger_operation as (
  i integer,
  kind text,
  account bigint,
  request uuid,
  trace text,
  tenant bigint,
  tenant_revision bigint,
  catalogue_revision bigint,
  payload bytea,
  key bytea,
  user jsonb,
  amount bigint,
  max_output_tokens bigint,
  terms jsonb,
  hold_ms bigint,
  min_amount bigint,
  min_output_tokens bigint,
  step_amount bigint,
  step_output_tokens bigint,
  settlement bytea,
  model_served text,
  input_tokens bigint,
  cached_input_tokens bigint,
  cache_write_tokens bigint,
  audio_input_tokens bigint,
  output_tokens bigint,
  audio_output_tokens bigint,
  images bigint,
  provider_total_tokens bigint,
  cost bigint,
  margin bigint,
  prices jsonb,
  cache_hit boolean,
  finish text,
  started_at timestamp with time zone,
  first_token_at timestamp with time zone,
  ended_at timestamp with time zone,
  reason text
);

create type ledger_result as (
  outcome text,
  reason text,
  replayed boolean,
  amount bigint,
  max_output_tokens bigint,
  expires_at timestamp with time zone,
  unlimited boolean,
  resets_at timestamp with time zone,
  scope text,
  granted bigint,
  posted bigint,
  held bigint,
  next_expiry timestamp with time zone,
  late boolean,
  hold bigint,
  cost bigint,
  margin bigint,
  total bigint,
  overrun bigint,
  line text,
  at timestamp with time zone,
  period text,
  sequence bigint,
  released bigint,
  granted_after bigint,
  posted_after bigint,
  held_after bigint,
  overrun_after bigint,
  lots bigint[],
  drawn bigint[]
);

create type lot_draw as (
  lots bigint[],
  drawn bigint[]
);

create type reversal_result as (
  outcome text,
  id uuid,
  reverses bigint,
  amount bigint,
  note text,
  period text,
  sequence bigint,
  created_at timestamp with time zone
);

create view ledger_faults as
 WITH line AS (
         SELECT e.account_id,
            e.sequence,
            e.at,
            e.kind,
            e.period,
            e.request_id,
            e.member_id,
            e.key_id,
            e.amount,
            e.released,
            e.granted_after,
            e.posted_after,
            e.held_after,
            e.overrun_after,
            e.reason,
            e.scope,
            e.scope_budget,
            e.scope_posted,
            e.scope_held,
            e.reverses,
            e.lots,
            e.drawn,
            row_number() OVER w AS ordinal,
            sum(
                CASE e.kind
                    WHEN 'grant'::text THEN e.amount
                    WHEN 'lapse'::text THEN - e.amount
                    WHEN 'revoke'::text THEN - e.amount
                    ELSE 0::bigint
                END) OVER w AS granted,
            sum(
                CASE e.kind
                    WHEN 'post'::text THEN e.amount
                    WHEN 'refund'::text THEN - e.amount
                    ELSE 0::bigint
                END) OVER w AS posted,
            sum(
                CASE e.kind
                    WHEN 'hold'::text THEN e.amount
                    WHEN 'post'::text THEN - e.released
                    WHEN 'void'::text THEN - e.amount
                    WHEN 'expire'::text THEN - e.amount
                    WHEN 'lease'::text THEN e.amount
                    WHEN 'draw'::text THEN - e.amount
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
            line.member_id,
            line.key_id,
            line.amount,
            line.released,
            line.granted_after,
            line.posted_after,
            line.held_after,
            line.overrun_after,
            line.reason,
            line.scope,
            line.scope_budget,
            line.scope_posted,
            line.scope_held,
            line.reverses,
            line.lots,
            line.drawn,
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
        ), draw AS (
         SELECT e.account_id,
            e.sequence,
            e.kind,
            e.amount,
            d.lot,
            d.part
           FROM ledger_entry e,
            LATERAL UNNEST(e.lots, e.drawn) d(lot, part)
        ), sub AS (
         SELECT e.account_id,
            s.subject_id,
            h.period,
            sum(
                CASE e.kind
                    WHEN 'post'::text THEN e.amount
                    WHEN 'refund'::text THEN - e.amount
                    ELSE 0::bigint
                END) AS posted,
            sum(
                CASE e.kind
                    WHEN 'hold'::text THEN e.amount
                    WHEN 'post'::text THEN - e.released
                    WHEN 'void'::text THEN - e.amount
                    WHEN 'expire'::text THEN - e.amount
                    ELSE 0::bigint
                END) AS held
           FROM ledger_entry e
             JOIN hold h USING (account_id, request_id)
             CROSS JOIN LATERAL ( VALUES (e.member_id), (e.key_id)) s(subject_id)
          WHERE s.subject_id IS NOT NULL AND NOT (EXISTS ( SELECT 1
                   FROM api_key k
                  WHERE k.id = s.subject_id AND k.kind = 'chat'::text))
          GROUP BY e.account_id, s.subject_id, h.period
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
 SELECT COALESCE(q.account_id, sub.account_id) AS account_id,
    (((COALESCE(q.kind, 'account'::text) || ' '::text) || COALESCE(q.subject_id, sub.subject_id)) || ' has not the balance its lines say in '::text) || COALESCE(q.period, sub.period) AS fault
   FROM sub_balance q
     FULL JOIN sub ON sub.subject_id = q.subject_id AND sub.period = q.period
  WHERE (q.account_id IS DISTINCT FROM sub.account_id OR q.posted::numeric IS DISTINCT FROM sub.posted OR q.held::numeric IS DISTINCT FROM sub.held) AND (q.posted <> 0 OR q.held <> 0 OR sub.posted <> 0::numeric OR sub.held <> 0::numeric)
UNION ALL
 SELECT draw.account_id,
    ('line '::text || draw.sequence) || ' moves another amount than its lots'::text AS fault
   FROM draw
  GROUP BY draw.account_id, draw.sequence, draw.kind, draw.amount
 HAVING sum(draw.part) <>
        CASE
            WHEN draw.kind = ANY (ARRAY['grant'::text, 'refund'::text]) THEN - draw.amount
            ELSE draw.amount
        END::numeric
UNION ALL
 SELECT ledger_entry.account_id,
    ('line '::text || ledger_entry.sequence) || ' moves money of no lot'::text AS fault
   FROM ledger_entry
  WHERE (ledger_entry.kind = ANY (ARRAY['grant'::text, 'lapse'::text, 'post'::text, 'refund'::text, 'revoke'::text])) AND ledger_entry.amount <> 0 AND COALESCE(cardinality(ledger_entry.lots), 0) = 0
UNION ALL
 SELECT l.account_id,
    ('lot '::text || l.id) || ' has not what its lines say'::text AS fault
   FROM lot l
     LEFT JOIN draw d ON d.lot = l.id
  GROUP BY l.id
 HAVING l.remaining::numeric <> (- COALESCE(sum(d.part), 0::numeric)) OR count(*) FILTER (WHERE d.account_id <> l.account_id) > 0
UNION ALL
 SELECT l.account_id,
    ('lot '::text || l.id) || ' comes from no grant'::text AS fault
   FROM lot l
     LEFT JOIN ledger_grant g ON g.id = l.grant_id AND g.account_id = l.account_id
  WHERE g.id IS NULL
UNION ALL
 SELECT b.account_id,
    'the lots do not add up to what is granted and not posted'::text AS fault
   FROM balance b
     LEFT JOIN ( SELECT lot.account_id,
            sum(lot.remaining) AS remaining
           FROM lot
          GROUP BY lot.account_id) l USING (account_id)
  WHERE (b.granted - b.posted)::numeric <> COALESCE(l.remaining, 0::numeric)
UNION ALL
 SELECT h.account_id,
    ('request '::text || h.request_id) || ' has no single end'::text AS fault
   FROM hold h
     LEFT JOIN ledger_entry e USING (account_id, request_id)
  WHERE h.reason IS DISTINCT FROM 'lease_ended'::text
  GROUP BY h.account_id, h.request_id, h.state, h.payload
 HAVING h.payload IS NOT NULL AND (count(*) FILTER (WHERE e.kind = ANY (ARRAY['hold'::text, 'lease'::text])) <> (h.state <> 'refused'::text)::integer OR count(*) FILTER (WHERE e.kind = 'refuse'::text) <> (h.state = 'refused'::text)::integer OR count(*) FILTER (WHERE e.kind = 'post'::text) <> (h.state = 'posted'::text)::integer OR count(*) FILTER (WHERE e.kind = ANY (ARRAY['void'::text, 'expire'::text])) > (h.state = ANY (ARRAY['voided'::text, 'expired'::text, 'posted'::text]))::integer OR count(*) FILTER (WHERE e.kind = ANY (ARRAY['void'::text, 'expire'::text])) < (h.state = ANY (ARRAY['voided'::text, 'expired'::text]))::integer)
UNION ALL
 SELECT h.account_id,
    ('lease '::text || h.request_id) || ' has not what its draws left'::text AS fault
   FROM hold h
  WHERE h.request_id = h.lease_id AND h.amount::numeric <> (( SELECT COALESCE(sum(
                CASE e.kind
                    WHEN 'lease'::text THEN e.amount
                    ELSE - e.amount
                END), 0::numeric) AS "coalesce"
           FROM hold q
             JOIN ledger_entry e ON e.account_id = q.account_id AND e.request_id = q.request_id
          WHERE q.account_id = h.account_id AND q.lease_id = h.lease_id AND e.kind =
                CASE
                    WHEN q.request_id = q.lease_id THEN 'lease'::text
                    ELSE 'draw'::text
                END))
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
  WHERE e.sequence IS NULL
UNION ALL
 SELECT v.account_id,
    ('more was reversed than line '::text || v.reverses) || ' has moved'::text AS fault
   FROM ledger_reversal v
     JOIN ledger_entry e ON e.account_id = v.account_id AND e.sequence = v.reverses
  GROUP BY v.account_id, v.reverses, e.amount
 HAVING sum(v.amount) > e.amount::numeric;

create view usage_faults as
 WITH sums AS (
         SELECT s_1.account_id,
            s_1.day,
            s_1.member_id,
            s_1.key_id,
            s_1.model,
            s_1.model_served,
            s_1.requests,
            s_1.input_tokens,
            s_1.cached_input_tokens,
            s_1.cache_write_tokens,
            s_1.audio_input_tokens,
            s_1.output_tokens,
            s_1.audio_output_tokens,
            s_1.images,
            s_1.cost,
            s_1.margin,
            s_1.total,
            s_1.posted,
            s_1.overrun
           FROM usage_rolled r_1,
            LATERAL usage_sums(r_1.account_id, 0::bigint, r_1.through) s_1(account_id, day, member_id, key_id, model, model_served, requests, input_tokens, cached_input_tokens, cache_write_tokens, audio_input_tokens, output_tokens, audio_output_tokens, images, cost, margin, total, posted, overrun)
        )
 SELECT COALESCE(s.account_id, r.account_id) AS account_id,
    COALESCE(s.day, r.day) AS day,
    COALESCE(s.total, 0::bigint) AS total_of_lines,
    COALESCE(r.total, 0::bigint) AS total_of_rollups
   FROM sums s
     FULL JOIN usage_rollup r ON s.account_id = r.account_id AND s.day = r.day AND s.model = r.model AND s.model_served = r.model_served AND COALESCE(s.member_id::text, ''::text) = COALESCE(r.member_id::text, ''::text) AND COALESCE(s.key_id::text, ''::text) = COALESCE(r.key_id::text, ''::text)
  WHERE s.* IS DISTINCT FROM r.*;

CREATE OR REPLACE FUNCTION public.alert_fire(p_account bigint, p_scope text, p_subject uuid, p_period text, p_spent bigint, p_budget bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.api_key_revoked()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform event_append(new.tenant_id, 'key.revoked', jsonb_build_object('keyId', new.id));
  perform pg_notify('cloudfreedom_key', 'revoked');
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.audit_append(p_chain bigint, p_actor_kind text, p_actor_id text, p_actor text, p_action text, p_target_kind text, p_target_id text, p_before text, p_after text, p_request_id text, p_values text[], p_subjects uuid[])
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  v_head audit_chain;
  v_entry audit_entry;
  v_salts bytea[];
begin
  v_head := audit_lock(p_chain);
  select coalesce(array_agg(salt order by place), '{}'),
         coalesce(array_agg(sha256(salt || convert_to(value, 'UTF8')) order by place), '{}')
    into v_salts, v_entry.personal
    from (select value, place, uuid_send(gen_random_uuid()) as salt
          from unnest(p_values) with ordinality v (value, place) offset 0) salted;
  v_entry.chain_id := p_chain;
  v_entry.sequence := v_head.sequence + 1;
  v_entry.at := greatest(clock_timestamp(), v_head.at);
  v_entry.actor_kind := p_actor_kind;
  v_entry.actor_id := p_actor_id;
  v_entry.actor := p_actor;
  v_entry.action := p_action;
  v_entry.target_kind := p_target_kind;
  v_entry.target_id := p_target_id;
  v_entry.before := p_before::json;
  v_entry.after := p_after::json;
  v_entry.request_id := p_request_id;
  v_entry.previous := v_head.hash;
  v_entry.hash := audit_hash(v_entry);

  insert into audit_entry values (v_entry.*);
  insert into audit_personal (chain_id, sequence, place, subject_id, value, salt)
    select p_chain, v_entry.sequence, place, subject, value, v_salts[place]
    from unnest(p_values, p_subjects) with ordinality v (value, subject, place);
  update audit_chain set sequence = v_entry.sequence, hash = v_entry.hash, at = v_entry.at where id = p_chain;
  -- Those who watch are told of what people do; what the platform itself does has events of its own.
  if p_chain > 0 and p_actor_kind not in ('operator', 'system') then
    perform event_append(p_chain, 'audit.appended',
      jsonb_build_object('sequence', v_entry.sequence, 'action', p_action));
  end if;
  return v_entry.sequence;
end $function$
;

CREATE OR REPLACE FUNCTION public.audit_check_anchor()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if not exists (select from audit_entry where chain_id = new.chain_id and sequence = new.sequence
                 and hash = new.hash and at < now() - interval '30 days') then
    raise exception 'an audit may only forget entries older than thirty days' using errcode = 'CF001';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.audit_field(p_value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when p_value is null then '-' else octet_length(p_value) || ':' || p_value end || ','
$function$
;

CREATE OR REPLACE FUNCTION public.audit_genesis(p_chain bigint)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select sha256(convert_to('cloudfreedom audit chain ' || p_chain, 'UTF8'))
$function$
;

CREATE OR REPLACE FUNCTION public.audit_hash(p_entry audit_entry)
 RETURNS bytea
 LANGUAGE sql
 STABLE
AS $function$
  select sha256(convert_to(
    audit_field(encode(p_entry.previous, 'hex')) ||
    audit_field(p_entry.chain_id::text) ||
    audit_field(p_entry.sequence::text) ||
    audit_field(to_char(p_entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) ||
    audit_field(p_entry.actor_kind) ||
    audit_field(p_entry.actor_id) ||
    audit_field(p_entry.actor) ||
    audit_field(p_entry.action) ||
    audit_field(p_entry.target_kind) ||
    audit_field(p_entry.target_id) ||
    audit_field(p_entry.before::text) ||
    audit_field(p_entry.after::text) ||
    audit_field(p_entry.request_id) ||
    audit_field((select string_agg(encode(value, 'hex'), ' ' order by place)
                 from unnest(p_entry.personal) with ordinality p (value, place))), 'UTF8'))
$function$
;

CREATE OR REPLACE FUNCTION public.audit_lock(p_chain bigint)
 RETURNS audit_chain
 LANGUAGE plpgsql
AS $function$
declare
  v_head audit_chain;
begin
  if p_chain > 0 then
    insert into event_counter (tenant_id, last) values (p_chain, 0) on conflict do nothing;
    perform from event_counter where tenant_id = p_chain for update;
  end if;
  select * into v_head from audit_chain where id = p_chain for update;
  if not found then
    insert into audit_chain (id, hash) values (p_chain, audit_genesis(p_chain)) on conflict do nothing;
    select * into v_head from audit_chain where id = p_chain for update;
  end if;
  return v_head;
end $function$
;

CREATE OR REPLACE FUNCTION public.audit_only_erase()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if old.erased_at is not null or new.erased_at is null or new.value is not null
    or (new.chain_id, new.sequence, new.place, new.subject_id)
       is distinct from (old.chain_id, old.sequence, old.place, old.subject_id) then
    raise exception 'a personal value of the audit can only be erased' using errcode = 'CF001';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.audit_prune(p_chain bigint, p_days integer, p_limit integer)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  v_last bigint;
  v_count bigint;
begin
  perform audit_lock(p_chain);
  select max(sequence), count(*) into v_last, v_count from (
    select sequence, at from audit_entry where chain_id = p_chain order by sequence limit p_limit) oldest
    where at < now() - p_days * interval '1 day';
  if v_count = 0 then
    return 0;
  end if;
  insert into audit_anchor (chain_id, sequence, hash, count)
    select chain_id, sequence, hash, v_count from audit_entry where chain_id = p_chain and sequence = v_last;
  delete from audit_personal where chain_id = p_chain and sequence <= v_last;
  delete from audit_entry where chain_id = p_chain and sequence <= v_last;
  return v_count;
end $function$
;

CREATE OR REPLACE FUNCTION public.audit_refuse_delete()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if not exists (select from audit_anchor where chain_id = old.chain_id and sequence >= old.sequence) then
    raise exception '% is append-only: only retention takes entries away', tg_table_name using errcode = 'CF001';
  end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.balance_alert()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.budget_told(p_account bigint)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION public.catalogue_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update catalogue set revision = revision + 1;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.chat_log_out(p_tenant bigint, p_person uuid)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  with ended as (
    delete from chat_sign_in where tenant_id = p_tenant and person_id = p_person returning sid
  ), told as (
    select sid from ended union all select null where not exists (select from ended)
  )
  insert into oidc_logout (tenant_id, person_id, sid) select p_tenant, p_person, sid from told;
  perform pg_notify('cloudfreedom_logout', '');
end $function$
;

CREATE OR REPLACE FUNCTION public.default_priority(source text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
RETURN CASE source WHEN 'plan'::text THEN 10 WHEN 'promotion'::text THEN 20 ELSE 30 END
;

CREATE OR REPLACE FUNCTION public.event_append(p_tenant bigint, p_type text, p_data jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  v_id bigint;
begin
  insert into event_counter as c (tenant_id, last) values (p_tenant, 1)
  on conflict (tenant_id) do update set last = c.last + 1 returning last into v_id;
  insert into event (tenant_id, id, type, data) values (p_tenant, v_id, p_type, p_data);
  -- Only wakes who waits; a reader that was not listening finds the row all the same.
  perform pg_notify('cloudfreedom_event', p_tenant::text);
  return v_id;
end $function$
;

CREATE OR REPLACE FUNCTION public.events_tell()
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.idempotency_claim(p_caller text, p_route text, p_key text, p_payload bytea, p_token uuid, p_lease interval, p_kept interval)
 RETURNS idempotency_claimed
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.is_removed_from_chat(p_tenant bigint, p_user jsonb)
 RETURNS boolean
 LANGUAGE sql
 STABLE
RETURN ((EXISTS (SELECT 1 FROM member m WHERE ((m.tenant_id = is_removed_from_chat.p_tenant) AND (m.former_external_id = (is_removed_from_chat.p_user ->> 'externalId'::text))))) OR (EXISTS (SELECT 1 FROM member m WHERE ((m.tenant_id = is_removed_from_chat.p_tenant) AND (m.removed_at IS NOT NULL) AND (lower(m.email) = lower((is_removed_from_chat.p_user ->> 'email'::text)))))))
;

CREATE OR REPLACE FUNCTION public.ledger_add_grant(p_account bigint, p_key text, p_payload bytea, p_source text, p_amount bigint, p_note text, p_priority integer, p_expires timestamp with time zone, p_now timestamp with time zone)
 RETURNS grant_result
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_apply(p_operations jsonb, p_accounts bigint[], p_now timestamp with time zone)
 RETURNS TABLE(i integer, r ledger_result)
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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

CREATE OR REPLACE FUNCTION public.ledger_book(b balance, kind text, amount bigint, reason text, draw lot_draw DEFAULT NULL::lot_draw, h hold DEFAULT NULL::hold, reverses bigint DEFAULT NULL::bigint)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_bring(b balance, p_key text, p_payload bytea, p_source text, p_amount bigint, p_period_part bigint, p_priority integer, p_expires timestamp with time zone, p_note text, p_taken lot_draw)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
  if coalesce(p_now, clock_timestamp()) >= b.due_at then
    b := ledger_lock(p_account, p_now);
  end if;
  return b;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_draw(p_account bigint, p_lease uuid, p_request uuid, p_payload bytea, p_amount bigint, p_max_output_tokens bigint, p_tenant bigint, p_key bytea, p_user jsonb, p_terms jsonb, p_trace text, p_hold_ms bigint, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_expire_overdue(p_account bigint, p_except uuid[], p_now timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_fill_plan(b balance)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_lease(p_account bigint, p_lease uuid, p_tenant bigint, p_tenant_revision bigint, p_catalogue_revision bigint, p_basis jsonb, p_wished bigint, p_least bigint, p_share bigint, p_hold_ms bigint, p_now timestamp with time zone)
 RETURNS lease_result
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_lock(p_account bigint, p_now timestamp with time zone)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_open_sub(p_account bigint, p_kind text, p_subject uuid, p_period text)
 RETURNS sub_balance
 LANGUAGE plpgsql
AS $function$
declare
  s sub_balance;
  v_limit bigint := limit_of(p_kind, p_subject);
begin
  insert into sub_balance (subject_id, period, account_id, kind, wished, budget)
  values (p_subject, p_period, p_account, p_kind, v_limit, v_limit) returning * into s;
  return s;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_refresh_limits(p_account bigint, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  b balance := ledger_lock(p_account, p_now);
begin
  update sub_balance s set wished = l.wished, budget = greatest(l.wished, case when l.wished is not null then posted + held end)
  from (select subject_id, limit_of(kind, subject_id) as wished from sub_balance
        where account_id = p_account and period = b.period) l
  where s.subject_id = l.subject_id and s.period = b.period and s.wished is distinct from l.wished;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_reverse(p_account bigint, p_key text, p_payload bytea, p_reverses bigint, p_amount bigint, p_note text, p_now timestamp with time zone)
 RETURNS reversal_result
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_set_plan(p_tenant bigint, p_target bigint, p_now timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_settle_leased(p_operation jsonb, p_account bigint, p_lease uuid, p_request uuid, p_payload bytea, p_amount bigint, p_max_output_tokens bigint, p_tenant bigint, p_key bytea, p_user jsonb, p_terms jsonb, p_trace text, p_hold_ms bigint, p_now timestamp with time zone)
 RETURNS TABLE(i integer, r ledger_result)
 LANGUAGE plpgsql
AS $function$
begin
  perform ledger_draw(p_account, p_lease, p_request, p_payload, p_amount, p_max_output_tokens, p_tenant, p_key, p_user,
                      p_terms, p_trace, p_hold_ms, p_now);
  return query select a.i, a.r from ledger_apply(jsonb_build_array(p_operation), array[p_account], p_now) a;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_store(b balance)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  update balance set
    granted = b.granted, posted = b.posted, held = b.held, overrun = b.overrun, sequence = b.sequence,
    changed_at = b.changed_at, period = b.period, period_ends_at = b.period_ends_at, due_at = b.due_at,
    posted_before = b.posted_before, overrun_before = b.overrun_before, restored = b.restored,
    plan_target = b.plan_target, plan_granted = b.plan_granted, unsettled = b.unsettled
  where account_id = b.account_id;
end $function$
;

CREATE OR REPLACE FUNCTION public.ledger_trim(b balance)
 RETURNS balance
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.limit_of(p_kind text, p_subject uuid)
 RETURNS bigint
 LANGUAGE sql
 STABLE
RETURN CASE p_kind WHEN 'user'::text THEN (SELECT COALESCE(m.monthly_budget, t.member_budget) AS "coalesce" FROM (member m JOIN tenant t ON ((t.id = m.tenant_id))) WHERE (m.id = limit_of.p_subject)) ELSE (SELECT COALESCE(k.monthly_budget, t.key_budget) AS "coalesce" FROM (api_key k JOIN tenant t ON ((t.id = k.tenant_id))) WHERE (k.id = limit_of.p_subject)) END
;

CREATE OR REPLACE FUNCTION public.lot_take(p_lots bigint[], p_amount bigint)
 RETURNS lot_draw
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.mail_rings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_notify('cloudfreedom_mail', '');
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.member_of_chat(p_tenant bigint, p_user jsonb)
 RETURNS uuid
 LANGUAGE plpgsql
AS $function$
declare
  m member;
  v_role text := coalesce(p_user ->> 'role', 'user');
begin
  update member set name = coalesce(p_user ->> 'name', name), role = coalesce(p_user ->> 'role', role)
  where tenant_id = p_tenant and external_id = p_user ->> 'externalId' returning * into m;
  if found then
    return m.id;
  elsif is_removed_from_chat(p_tenant, p_user) then
    return null;
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
  -- An owner who came when every seat was taken has one now.
  update membership s set member_id = m.id from person p
  where s.tenant_id = p_tenant and s.member_id is null and s.role <> 'billing'
    and p.id = s.person_id and p.state = 'active' and lower(p.email) = lower(m.email);
  return m.id;
end $function$
;

CREATE OR REPLACE FUNCTION public.membership_ends_chats()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform chat_log_out(old.tenant_id, old.person_id);
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.membership_ends_keys()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update api_key set revoked_at = clock_timestamp()
  where tenant_id = old.tenant_id and person_id = old.person_id and revoked_at is null;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.percent_spent(spent bigint, budget bigint)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
RETURN CASE WHEN (budget > 0) THEN (LEAST(div(((spent)::numeric * (100)::numeric), (budget)::numeric), (100)::numeric))::integer ELSE 0 END
;

CREATE OR REPLACE FUNCTION public.period_end(period text, zone text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
RETURN (SELECT min(t.t) AS min FROM (SELECT ((((period_end.period || '-01'::text))::timestamp without time zone + '1 mon'::interval) AT TIME ZONE period_end.zone) AS midnight) m, LATERAL unnest(ARRAY[(m.midnight - '01:00:00'::interval), (m.midnight - '00:30:00'::interval), m.midnight]) t(t) WHERE (period_of(t.t, period_end.zone) > period_end.period))
;

CREATE OR REPLACE FUNCTION public.period_of(at timestamp with time zone, zone text)
 RETURNS text
 LANGUAGE sql
 STABLE
RETURN to_char((at AT TIME ZONE zone), 'YYYY-MM'::text)
;

CREATE OR REPLACE FUNCTION public.person_ends_chats()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform chat_log_out(tenant_id, new.id) from (select distinct tenant_id from chat_sign_in where person_id = new.id) c;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.person_ends_keys()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update api_key set revoked_at = clock_timestamp() where person_id = new.id and revoked_at is null;
  if new.state = 'erased' then
    update api_key set name = 'erased' where person_id = new.id;
  end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.rate_take(p_bucket text, p_limit integer, p_window_seconds integer, p_want integer, OUT got integer, OUT remaining integer, OUT seconds_left double precision)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% is append-only: write a new line that corrects the old one', tg_table_name using errcode = 'CF001';
end $function$
;

CREATE OR REPLACE FUNCTION public.seat_is_free(p_tenant bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
RETURN (SELECT ((t.max_members IS NULL) OR (t.max_members > (SELECT count(*) AS count FROM member m WHERE ((m.tenant_id = t.id) AND (m.removed_at IS NULL))))) FROM tenant t WHERE (t.id = seat_is_free.p_tenant))
;

CREATE OR REPLACE FUNCTION public.session_ends_chats()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  with ended as (
    delete from chat_sign_in where session_id = new.id returning tenant_id, person_id, sid
  )
  insert into oidc_logout (tenant_id, person_id, sid) select tenant_id, person_id, sid from ended;
  perform pg_notify('cloudfreedom_logout', '');
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.sub_balance_alert()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if percent_spent(new.posted, new.wished) > percent_spent(old.posted, old.wished) then
    begin
      perform alert_fire(new.account_id, new.kind, new.subject_id, new.period, new.posted, new.wished);
    exception when others then
      raise warning 'an alert of % % could not be fired: %', new.kind, new.subject_id, sqlerrm;
    end;
  end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.sub_hold(p_account bigint, p_kind text, p_subject uuid, p_period text, p_amount bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  if p_subject is null then
    return;
  elsif not exists (select 1 from sub_balance where subject_id = p_subject and period = p_period) then
    perform ledger_open_sub(p_account, p_kind, p_subject, p_period);
  end if;
  update sub_balance set held = held + p_amount,
    budget = case when budget is not null then greatest(budget, posted + held + p_amount) end
  where subject_id = p_subject and period = p_period;
end $function$
;

CREATE OR REPLACE FUNCTION public.tenant_status(t tenant)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
RETURN CASE WHEN ((t).state <> 'open'::text) THEN (t).state WHEN COALESCE((((t).registration ->> 'suspended'::text))::boolean, false) THEN 'suspended'::text ELSE 'open'::text END
;

CREATE OR REPLACE FUNCTION public.tenant_tell_status()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform event_append(new.id, 'tenant.status_changed',
    jsonb_build_object('status', tenant_status(new), 'previous', tenant_status(old)));
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.throttle_attempt(p_rule text, p_subject bytea, p_free integer, p_first_wait_ms bigint, p_longest_wait_ms bigint, p_forget_ms bigint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  t throttle;
  v_now timestamptz;
  v_wait_ms numeric;
begin
  insert into throttle (rule, subject, attempts, forgotten_at) values (p_rule, p_subject, 0, clock_timestamp())
  on conflict (rule, subject) do update set rule = excluded.rule returning * into t;
  -- After the lock, not before: who waited for it sees the time it was given.
  v_now := clock_timestamp();
  if t.blocked_until > v_now then
    return ceil(extract(epoch from t.blocked_until - v_now) * 1000);
  end if;
  if t.forgotten_at <= v_now then
    t.attempts := 0;
  end if;
  t.attempts := t.attempts + 1;
  v_wait_ms := case when t.attempts < p_free then 0
    else least(p_first_wait_ms * 2::numeric ^ least(t.attempts - p_free, 40), p_longest_wait_ms) end;
  update throttle set attempts = t.attempts,
    blocked_until = case when v_wait_ms > 0 then v_now + v_wait_ms * interval '1 millisecond' end,
    forgotten_at = v_now + greatest(p_forget_ms, v_wait_ms) * interval '1 millisecond'
  where rule = p_rule and subject = p_subject;
  return 0;
end $function$
;

CREATE OR REPLACE FUNCTION public.usage_cut_days()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into usage_rolled (account_id, through) select id, 0 from account where tenant_id = new.id
  on conflict (account_id) do update set through = 0;
  delete from usage_rollup r using account a where a.id = r.account_id and a.tenant_id = new.id;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.usage_roll_up(p_account bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_from bigint;
  v_through bigint;
begin
  insert into usage_rolled (account_id, through) values (p_account, 0) on conflict do nothing;
  select through into v_from from usage_rolled where account_id = p_account for update skip locked;
  if not found then
    return;
  end if;
  select sequence into strict v_through from balance where account_id = p_account;
  insert into usage_rollup as r select * from usage_sums(p_account, v_from, v_through)
  on conflict (account_id, day, member_id, key_id, model, model_served) do update set
    requests = r.requests + excluded.requests,
    input_tokens = r.input_tokens + excluded.input_tokens,
    cached_input_tokens = r.cached_input_tokens + excluded.cached_input_tokens,
    cache_write_tokens = r.cache_write_tokens + excluded.cache_write_tokens,
    audio_input_tokens = r.audio_input_tokens + excluded.audio_input_tokens,
    output_tokens = r.output_tokens + excluded.output_tokens,
    audio_output_tokens = r.audio_output_tokens + excluded.audio_output_tokens,
    images = r.images + excluded.images,
    cost = r.cost + excluded.cost,
    margin = r.margin + excluded.margin,
    total = r.total + excluded.total,
    posted = r.posted + excluded.posted,
    overrun = r.overrun + excluded.overrun;
  update usage_rolled set through = v_through where account_id = p_account;
end $function$
;

CREATE OR REPLACE FUNCTION public.usage_sums(p_account bigint, p_after bigint, p_through bigint)
 RETURNS SETOF usage_rollup
 LANGUAGE sql
 STABLE
AS $function$
  select u.account_id, (u.at at time zone t.time_zone)::date, u.member_id, u.key_id, u.terms ->> 'model', u.model_served,
    count(*), sum(input_tokens)::bigint, sum(cached_input_tokens)::bigint, sum(cache_write_tokens)::bigint,
    sum(audio_input_tokens)::bigint, sum(output_tokens)::bigint, sum(audio_output_tokens)::bigint, sum(images)::bigint,
    sum(cost)::bigint, sum(margin)::bigint, sum(total)::bigint, sum(posted)::bigint, sum(overrun)::bigint
  from usage_line u join account a on a.id = u.account_id join tenant t on t.id = a.tenant_id
  where u.account_id = p_account and u.sequence > p_after and u.sequence <= p_through
  group by 1, 2, 3, 4, 5, 6
$function$
;

CREATE OR REPLACE FUNCTION public.usage_until_now(p_account bigint)
 RETURNS SETOF usage_rollup
 LANGUAGE sql
 STABLE
AS $function$
  select * from usage_rollup where account_id = p_account
  union all
  select * from usage_sums(p_account,
    coalesce((select through from usage_rolled where account_id = p_account), 0), 9223372036854775807)
$function$
;
