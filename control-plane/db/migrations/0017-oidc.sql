-- The OpenID provider of the tenants' chats: its keys, its clients, what it has handed out, and whom the chats must be
-- told to sign out. Nothing here can be used by who reads it: tokens and secrets are hashes, keys are sealed.

-- A key is published from the moment it is here and signs from signs_from on, so that every client has seen it by then.
-- The newest that signs does sign; older ones still verify until they are removed.
create table oidc_signing_key (
  kid text primary key,
  sealed bytea not null,
  created_at timestamptz not null default now(),
  signs_from timestamptz not null
);

-- The secret of a tenant's chat at the provider. While its pods roll, the one before is good for a while too.
create table oidc_client (
  tenant_id bigint primary key references tenant,
  secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
  previous_sha256 bytea check (octet_length(previous_sha256) = 32),
  previous_until timestamptz,
  check ((previous_sha256 is null) = (previous_until is null))
);

-- What the provider keeps between two requests: codes, tokens, its own sessions. Whoever knows an id may use the row, so
-- the id is kept as a hash. consumed_at is set once, by a conditional update: a code is redeemed by one request only.
create table oidc_record (
  model text not null,
  id_sha256 bytea not null check (octet_length(id_sha256) = 32),
  payload jsonb not null,
  grant_id text,
  uid text,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  primary key (model, id_sha256)
);
create index oidc_record_grant on oidc_record (grant_id) where grant_id is not null;
create index oidc_record_uid on oidc_record (model, uid) where uid is not null;
create index oidc_record_expired on oidc_record (expires_at);

-- A person who came into a tenant's chat, and the portal session that let them in: it ends with that session. sid is how
-- the chat knows this sign-in.
create table chat_sign_in (
  grant_id text primary key,
  tenant_id bigint not null references tenant,
  person_id uuid not null references person,
  session_id uuid not null references session on delete cascade,
  sid text not null,
  created_at timestamptz not null default now()
);
create index chat_sign_in_session on chat_sign_in (session_id);
create index chat_sign_in_person on chat_sign_in (person_id, tenant_id);

-- Back-channel logout: what a chat has still to be told, kept until it has heard it. given_up: by then every session it
-- could be about has ended by itself.
create table oidc_logout (
  id uuid primary key default gen_random_uuid(),
  tenant_id bigint not null references tenant,
  person_id uuid not null references person,
  sid text,
  created_at timestamptz not null default clock_timestamp(),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default clock_timestamp(),
  last_error text check (length(last_error) <= 300),
  state text not null default 'pending' check (state in ('pending', 'heard', 'given_up')),
  ended_at timestamptz,
  check ((state = 'pending') = (ended_at is null))
);
create index oidc_logout_due on oidc_logout (next_attempt_at) where state = 'pending';
create index oidc_logout_ended on oidc_logout (ended_at) where state <> 'pending';

-- Ends what a person has in a tenant's chat. The chat is told even where no sign-in is known of: it costs nothing.
create function chat_log_out(p_tenant bigint, p_person uuid) returns void language plpgsql as $$
begin
  with ended as (
    delete from chat_sign_in where tenant_id = p_tenant and person_id = p_person returning sid
  ), told as (
    select sid from ended union all select null where not exists (select from ended)
  )
  insert into oidc_logout (tenant_id, person_id, sid) select p_tenant, p_person, sid from told;
  perform pg_notify('cloudfreedom_logout', '');
end $$;

-- The rules are here and not in the operations that revoke, remove and lock, so that none of them can forget it.
create function session_ends_chats() returns trigger language plpgsql as $$
begin
  with ended as (
    delete from chat_sign_in where session_id = new.id returning tenant_id, person_id, sid
  )
  insert into oidc_logout (tenant_id, person_id, sid) select tenant_id, person_id, sid from ended;
  perform pg_notify('cloudfreedom_logout', '');
  return null;
end $$;
create trigger session_revoked_ends_chats after update of revoked_at on session for each row
  when (old.revoked_at is null and new.revoked_at is not null) execute function session_ends_chats();

create function membership_ends_chats() returns trigger language plpgsql as $$
begin
  perform chat_log_out(old.tenant_id, old.person_id);
  return null;
end $$;
create trigger membership_removed_ends_chats after delete on membership for each row
  execute function membership_ends_chats();
create trigger membership_without_seat_ends_chats after update of role on membership for each row
  when (new.role = 'billing' and old.role <> 'billing') execute function membership_ends_chats();

create function person_ends_chats() returns trigger language plpgsql as $$
begin
  perform chat_log_out(tenant_id, new.id) from (select distinct tenant_id from chat_sign_in where person_id = new.id) c;
  return null;
end $$;
create trigger person_locked_ends_chats after update of state on person for each row
  when (old.state = 'active' and new.state <> 'active') execute function person_ends_chats();
