-- The audit: who changed what, when and from where. One chain per tenant and one for the platform (chain 0). An entry's
-- hash covers all of its columns and the hash before it, so that no entry can be changed, taken out, put in or moved
-- without the chain showing it. docs/adr/0016 tells why it looks as it does.

-- The head of each chain. Its row's lock is the order of entries; it also tells when the newest ones were cut off.
-- There is no foreign key to tenant: chain 0 has none, and its check would lock the tenant's row for every entry.
create table audit_chain (
  id bigint primary key check (id >= 0),
  sequence bigint not null default 0 check (sequence >= 0),
  hash bytea not null check (octet_length(hash) = 32),
  at timestamptz not null default '-infinity'
) with (fillfactor = 50);

-- What is personal (names, addresses, mail addresses) is not in the entry: "personal:1" stands for it, and the entry
-- keeps a commitment, sha-256 over a random salt and the value. So a person can be forgotten and the chain still holds.
-- before and after are json, not jsonb: canonical to the byte, for others who recompute the hash from an export.
create table audit_entry (
  chain_id bigint not null,
  sequence bigint not null check (sequence > 0),
  at timestamptz not null,
  actor_kind text not null check (actor_kind in
    ('person', 'key', 'service', 'admin', 'operator', 'kubernetes', 'system', 'anonymous')),
  actor_id text,
  actor text,
  action text not null check (action ~ '^[A-Za-z][A-Za-z0-9_.-]{0,99}$'),
  target_kind text,
  target_id text,
  before json,
  after json,
  request_id text,
  personal bytea[] not null,
  previous bytea not null check (octet_length(previous) = 32),
  hash bytea not null check (octet_length(hash) = 32),
  primary key (chain_id, sequence)
);
create index audit_entry_action on audit_entry (chain_id, action, sequence);
create index audit_entry_actor on audit_entry (chain_id, actor_id, sequence) where actor_id is not null;
create index audit_entry_target on audit_entry (chain_id, target_id, sequence) where target_id is not null;

-- The personal values, by the place an entry names; subject_id is the person, user or invitation whose they are, where
-- that is known. Erased: value and salt are gone, nobody can try values any more.
create table audit_personal (
  chain_id bigint not null,
  sequence bigint not null,
  place integer not null check (place > 0),
  subject_id uuid,
  value text,
  salt bytea check (octet_length(salt) = 16),
  erased_at timestamptz,
  primary key (chain_id, sequence, place),
  check ((value is null) = (salt is null) and (value is null) = (erased_at is not null))
);
create index audit_personal_subject on audit_personal (subject_id) where subject_id is not null and erased_at is null;

-- Where a chain begins after its oldest entries were taken away: the last one that went, and how many went with it.
create table audit_anchor (
  chain_id bigint not null references audit_chain,
  sequence bigint not null,
  hash bytea not null check (octet_length(hash) = 32),
  count bigint not null check (count > 0),
  at timestamptz not null default now(),
  primary key (chain_id, sequence)
);

-- One column of an entry as bytes that cannot run into the next: its length, a colon, itself; '-' for none.
create function audit_field(p_value text) returns text language sql immutable parallel safe as $$
  select case when p_value is null then '-' else octet_length(p_value) || ':' || p_value end || ','
$$;

create function audit_hash(p_entry audit_entry) returns bytea language sql stable as $$
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
$$;

-- Where a chain starts from: not from nothing, so that an entry cannot be carried over from another chain.
create function audit_genesis(p_chain bigint) returns bytea language sql immutable as $$
  select sha256(convert_to('cloudfreedom audit chain ' || p_chain, 'UTF8'))
$$;

-- Locks a chain, which is made if it is not there yet. The tenant's event counter comes before the chain wherever both
-- are locked, also for those who append an event first and an entry after.
create function audit_lock(p_chain bigint) returns audit_chain language plpgsql as $$
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
end $$;

-- Appends an entry. p_values are its personal values in the order of their places, p_subjects whose they are.
-- Call it last in a transaction: it locks the tenant's event counter and then the chain, and both until commit.
create function audit_append(
  p_chain bigint, p_actor_kind text, p_actor_id text, p_actor text, p_action text, p_target_kind text,
  p_target_id text, p_before text, p_after text, p_request_id text, p_values text[], p_subjects uuid[]
) returns bigint language plpgsql as $$
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
end $$;

-- Takes the oldest entries of a chain away, at most p_limit, and leaves an anchor. @returns how many went
create function audit_prune(p_chain bigint, p_days integer, p_limit integer) returns bigint language plpgsql as $$
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
end $$;

-- Nothing younger than thirty days goes, whatever a setting says, and nothing but what an anchor stands for.
create function audit_check_anchor() returns trigger language plpgsql as $$
begin
  if not exists (select from audit_entry where chain_id = new.chain_id and sequence = new.sequence
                 and hash = new.hash and at < now() - interval '30 days') then
    raise exception 'an audit may only forget entries older than thirty days' using errcode = 'CF001';
  end if;
  return new;
end $$;
create trigger audit_anchor_is_true before insert on audit_anchor
  for each row execute function audit_check_anchor();

create function audit_refuse_delete() returns trigger language plpgsql as $$
begin
  if not exists (select from audit_anchor where chain_id = old.chain_id and sequence >= old.sequence) then
    raise exception '% is append-only: only retention takes entries away', tg_table_name using errcode = 'CF001';
  end if;
  return old;
end $$;
create trigger audit_entry_only_retention_deletes before delete on audit_entry
  for each row execute function audit_refuse_delete();
create trigger audit_personal_only_retention_deletes before delete on audit_personal
  for each row execute function audit_refuse_delete();

create function audit_only_erase() returns trigger language plpgsql as $$
begin
  if old.erased_at is not null or new.erased_at is null or new.value is not null
    or (new.chain_id, new.sequence, new.place, new.subject_id)
       is distinct from (old.chain_id, old.sequence, old.place, old.subject_id) then
    raise exception 'a personal value of the audit can only be erased' using errcode = 'CF001';
  end if;
  return new;
end $$;
create trigger audit_personal_only_erased before update on audit_personal
  for each row execute function audit_only_erase();

create trigger audit_entry_append_only before update or truncate on audit_entry
  for each statement execute function refuse_change();
create trigger audit_anchor_append_only before update or delete or truncate on audit_anchor
  for each statement execute function refuse_change();
create trigger audit_personal_no_truncate before truncate on audit_personal
  for each statement execute function refuse_change();
create trigger audit_chain_stays before delete or truncate on audit_chain
  for each statement execute function refuse_change();
revoke update, truncate on audit_entry from public, current_user;
revoke update, delete, truncate on audit_anchor from public, current_user;
revoke delete, truncate on audit_chain from public, current_user;
revoke truncate on audit_personal from public, current_user;

-- What the control plane last saw of a Kubernetes object: the "before" of the next change, and one entry per change
-- however many replicas watch.
create table audit_kubernetes_object (
  uid text primary key,
  kind text not null,
  name text not null,
  generation bigint not null,
  spec jsonb,
  seen_at timestamptz not null default now()
);
