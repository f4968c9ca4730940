-- The registry: what the operator told us of tenants, plans and models, and the people and keys of each tenant.
-- Registrations are kept as the JSON that was validated at the edge; only what SQL itself decides on has a column.

create table plan (
  name text primary key,
  registration jsonb not null,
  changed_at timestamptz not null default now()
);

create table model (
  name text primary key,
  registration jsonb not null,
  changed_at timestamptz not null default now()
);

-- Euro are sold at a dated rate. A day's rate is never changed once it is in, so a posting can be explained for ever.
create table exchange_rate (
  day date primary key,
  usd_per_eur_micro bigint not null check (usd_per_eur_micro > 0),
  source text not null,
  created_at timestamptz not null default now()
);

-- One row. It grows with every change of a model or a rate; a price worked out from an older revision is turned down
-- by ledger_authorise, so that any number of replicas may cache the catalogue and none ever sells at a stale price.
create table catalogue (
  singleton boolean primary key default true check (singleton),
  revision bigint not null default 0
);
insert into catalogue default values;

create function catalogue_changed() returns trigger language plpgsql as $$
begin
  update catalogue set revision = revision + 1;
  return null;
end $$;

create trigger model_changes_catalogue after insert or update or delete on model
  for each statement execute function catalogue_changed();
create trigger rate_changes_catalogue after insert or update or delete on exchange_rate
  for each statement execute function catalogue_changed();

-- closed: its Tenant was deleted, data kept; the same name takes it up again with its balance.
-- erased: personal data is gone and the name is free for someone else, who gets a new row and a new account.
create table tenant (
  id bigint generated always as identity primary key,
  name text not null,
  registration jsonb not null,
  revision bigint not null default 1,
  time_zone text not null,
  -- What every user and every API key may cost in a month unless it says otherwise itself, and how many people there
  -- may be. Null: no limit.
  member_budget bigint check (member_budget >= 0),
  key_budget bigint check (key_budget >= 0),
  max_members integer check (max_members > 0),
  gateway_credential bytea not null check (octet_length(gateway_credential) = 32),
  state text not null default 'open' check (state in ('open', 'closed', 'erased')),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);
create unique index tenant_name on tenant (name) where state <> 'erased';
create unique index tenant_gateway_credential on tenant (gateway_credential) where state <> 'erased';

create table member (
  id uuid primary key default gen_random_uuid(),
  tenant_id bigint not null references tenant,
  external_id text,
  email text,
  name text,
  role text not null,
  monthly_budget bigint check (monthly_budget >= 0),
  created_at timestamptz not null default now()
);
create unique index member_external_id on member (tenant_id, external_id);
create unique index member_email on member (tenant_id, lower(email));
create index member_page on member (tenant_id, created_at, id);

-- Only the hash of a key is kept. kind chat: the tenant's Open WebUI, which may speak for its signed-in users.
create table api_key (
  id uuid primary key default gen_random_uuid(),
  tenant_id bigint not null references tenant,
  member_id uuid references member,
  kind text not null check (kind in ('api', 'chat')),
  name text not null,
  sha256 bytea not null unique check (octet_length(sha256) = 32),
  monthly_budget bigint check (monthly_budget >= 0),
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  check (kind = 'api' or monthly_budget is null)
);
create unique index api_key_one_chat_key on api_key (tenant_id) where kind = 'chat' and revoked_at is null;
create index api_key_page on api_key (tenant_id, created_at, id);
