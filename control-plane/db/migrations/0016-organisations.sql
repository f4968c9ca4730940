-- Organisations: who belongs to a tenant, who is invited to it, who is to own it, and who wished one that is not there yet.

-- A removed person's row stays, for the ledger names it, but holds no seat. Its chat account is set aside: what still
-- comes in that name is known to nobody, so member_of_chat is asked, and refuses it. Whoever is added again gets the
-- same row back.
alter table member
  add column removed_at timestamptz,
  add column removed_person_id uuid references person,
  add column former_external_id text,
  add constraint a_removed_member_has_no_chat check (
    case when removed_at is null then removed_person_id is null and former_external_id is null
    else external_id is null end);
create unique index member_former_external_id on member (tenant_id, former_external_id);

create or replace function seat_is_free(p_tenant bigint) returns boolean language sql stable
  return (select max_members is null
            or max_members > (select count(*) from member m where m.tenant_id = t.id and m.removed_at is null)
          from tenant t where t.id = p_tenant);

-- Whether somebody who was removed still speaks through the chat.
create function is_removed_from_chat(p_tenant bigint, p_user jsonb) returns boolean language sql stable
  return exists (select 1 from member m where m.tenant_id = p_tenant and m.former_external_id = p_user ->> 'externalId')
    or exists (select 1 from member m where m.tenant_id = p_tenant and m.removed_at is not null
                 and lower(m.email) = lower(p_user ->> 'email'));

-- The user a chat key speaks for: found by the chat's id, else by address, else made while there is a seat. Null: no
-- seat is left, or the person was removed. Called under the lock of the tenant's account, so two newcomers cannot take
-- the same seat.
create or replace function member_of_chat(p_tenant bigint, p_user jsonb) returns uuid language plpgsql as $$
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
end $$;

-- Only the hash of the token that was mailed is kept. A resent invitation has a new one.
create table invitation (
  id uuid primary key default gen_random_uuid(),
  tenant_id bigint not null references tenant,
  email text not null check (length(email) <= 254),
  role text not null check (role in ('admin', 'member', 'billing')),
  token_sha256 bytea not null unique check (octet_length(token_sha256) = 32),
  -- Null: the platform's administration.
  invited_by uuid references person,
  language text not null check (language in ('de', 'en')),
  state text not null default 'pending' check (state in ('pending', 'accepted', 'withdrawn')),
  created_at timestamptz not null default now(),
  sent_at timestamptz not null default now(),
  times_sent integer not null default 1 check (times_sent > 0),
  expires_at timestamptz not null,
  ended_at timestamptz,
  accepted_by uuid references person,
  check ((state = 'pending') = (ended_at is null)),
  check ((state = 'accepted') = (accepted_by is not null))
);
create unique index invitation_one_per_address on invitation (tenant_id, lower(email)) where state = 'pending';
create index invitation_page on invitation (tenant_id, created_at, id);

-- Addresses that a Tenant names as its owners. Each is an offer, taken up once: by the person who has confirmed that
-- address. So handing a tenant over is not undone by the next registration.
create table tenant_owner (
  tenant_id bigint not null references tenant,
  address text not null check (address = lower(address)),
  person_id uuid references person,
  taken_up_at timestamptz,
  primary key (tenant_id, address),
  check ((person_id is null) = (taken_up_at is null))
);
create index tenant_owner_address on tenant_owner (address) where person_id is null;

insert into tenant_owner (tenant_id, address)
select distinct t.id, lower(owner) from tenant t, jsonb_array_elements_text(coalesce(t.registration -> 'owners', '[]')) owner
where t.state <> 'erased';

-- Who wished a tenant through us, until the operator registers it.
create table tenant_request (
  name text primary key,
  person_id uuid not null references person,
  created_at timestamptz not null default clock_timestamp()
);
create index tenant_request_person on tenant_request (person_id);

-- The conditions of a Tenant as its stream was told of them last: replicas watch alike, and one of them tells.
create table tenant_status (
  tenant_id bigint primary key references tenant,
  resource_version numeric not null,
  conditions jsonb not null,
  changed_at timestamptz not null default now()
);
