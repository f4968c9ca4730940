-- Keys with scopes. A personal key belongs to a person and goes with their membership; a service key belongs to the
-- tenant. Both are api_key rows of kind api; kind chat stays the key of the tenant's Open WebUI.

alter table api_key
  -- Whose personal key this is. Null: a service key.
  add column person_id uuid references person,
  -- What it may do: 'chat' is the use of models at the gateway, all others are permissions of the API. Never changed:
  -- whoever needs other scopes makes another key.
  add column scopes text[] not null default '{chat}',
  -- What people recognise a key by. Null on keys from before there were such.
  add column prefix text,
  add column last_four text,
  -- Written in batches, so it may be a minute behind.
  add column last_used_at timestamptz,
  -- The gateway's lookups, identify and the ledger's own, go by sha256. A key that may not chat has its hash here
  -- instead: they cannot find it.
  add column api_only_sha256 bytea unique check (octet_length(api_only_sha256) = 32),
  alter column sha256 drop not null,
  add constraint a_key_has_scopes check (cardinality(scopes) > 0),
  add constraint only_a_key_for_chat_is_found_by_the_gateway check (
    case when 'chat' = any(scopes) then sha256 is not null and api_only_sha256 is null
    else sha256 is null and api_only_sha256 is not null end),
  add constraint the_chats_key_is_nobodys check (kind = 'api' or (person_id is null and scopes = '{chat}'));
create index api_key_revoked on api_key (revoked_at) where revoked_at is not null;
create index api_key_person on api_key (person_id, tenant_id) where person_id is not null;

-- Whatever revoked it: those who wait for events hear of it, and processes that accept its tokens forget it at once.
create function api_key_revoked() returns trigger language plpgsql as $$
begin
  perform event_append(new.tenant_id, 'key.revoked', jsonb_build_object('keyId', new.id));
  perform pg_notify('cloudfreedom_key', 'revoked');
  return null;
end $$;
create trigger api_key_revoked after update of revoked_at on api_key for each row
  when (new.kind = 'api' and old.revoked_at is null and new.revoked_at is not null)
  execute function api_key_revoked();

-- A personal key lasts no longer than the seat of its person.
create function membership_ends_keys() returns trigger language plpgsql as $$
begin
  update api_key set revoked_at = clock_timestamp()
  where tenant_id = old.tenant_id and person_id = old.person_id and revoked_at is null;
  return null;
end $$;
create trigger membership_gone_ends_keys after delete on membership for each row execute function membership_ends_keys();
create trigger membership_without_seat_ends_keys after update of role on membership for each row
  when (new.role = 'billing' and old.role <> 'billing') execute function membership_ends_keys();

create function person_ends_keys() returns trigger language plpgsql as $$
begin
  update api_key set revoked_at = clock_timestamp() where person_id = new.id and revoked_at is null;
  if new.state = 'erased' then
    update api_key set name = 'erased' where person_id = new.id;
  end if;
  return null;
end $$;
create trigger person_locked_ends_keys after update of state on person for each row
  when (new.state <> 'active' and old.state is distinct from new.state) execute function person_ends_keys();

-- What service tokens are signed with. The newest that is old enough to be known to verifiers signs; all that may have
-- signed a token that still lives are published.
create table token_key (
  kid text primary key,
  public_jwk jsonb not null,
  -- Sealed by the vault.
  private_key bytea not null,
  created_at timestamptz not null default now()
);
