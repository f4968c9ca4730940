-- Data protection: from where terms were accepted, what a tenant's chat is asked for on behalf of a person, and what was
-- kept of people who are gone.

alter table terms_acceptance add column address inet;

-- A person's chats lie in the database of their tenant, which we cannot and do not want to reach. What is to be exported
-- or erased there is asked for here; a job in the tenant's namespace takes it and says what it did. subject says who is
-- meant (ids and addresses of the chat's accounts), sealed, and goes with the end; parts hold an export until it is old.
create table chat_data_request (
  id uuid primary key default gen_random_uuid(),
  tenant_id bigint not null references tenant,
  person_id uuid not null references person,
  kind text not null check (kind in ('export', 'erase')),
  state text not null default 'waiting' check (state in ('waiting', 'done', 'failed')),
  subject bytea,
  created_at timestamptz not null default clock_timestamp(),
  -- Whoever has taken it has until then; afterwards the next one may.
  taken_until timestamptz,
  attempts integer not null default 0,
  last_error text check (length(last_error) <= 500),
  -- Rows that were exported or erased.
  found bigint check (found >= 0),
  ended_at timestamptz,
  check ((state = 'waiting') = (ended_at is null)),
  check ((state = 'waiting') = (subject is not null))
);
create index chat_data_request_waiting on chat_data_request (tenant_id, created_at) where state = 'waiting';
create unique index chat_data_request_one_waiting on chat_data_request (tenant_id, person_id, kind) where state = 'waiting';
create index chat_data_request_person on chat_data_request (person_id, created_at);

-- The text of an export in pieces, sealed.
create table chat_data_part (
  request_id uuid not null references chat_data_request on delete cascade,
  part integer not null check (part >= 0),
  sealed bytea not null,
  primary key (request_id, part)
);

-- What was done when a person was erased, and what the law keeps: without a name, by the ids that the ledger goes by.
-- kept counts it per kind; nothing in here is personal but the id itself, which leads to nobody any more.
create table erasure (
  person_id uuid primary key references person,
  erased_at timestamptz not null default clock_timestamp(),
  seats uuid[] not null,
  kept jsonb not null,
  keep_until date not null
);

-- A webhook's secret is sealed from now on; what lies there is sealed at the next start.
alter table webhook drop constraint webhook_secret_check, add constraint webhook_secret_check check (octet_length(secret) >= 32);
