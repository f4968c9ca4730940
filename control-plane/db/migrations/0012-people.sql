-- People, how they are signed in, and where they belong. A person exists only once an address has been confirmed: what
-- somebody merely claims in a registration form is kept apart from people, so it can neither take nor block an address.

create table person (
  id uuid primary key default gen_random_uuid(),
  email text check (length(email) between 3 and 254),
  name text check (length(name) between 1 and 200),
  language text not null default 'de' check (language in ('de', 'en')),
  email_verified_at timestamptz,
  -- Null: signs in by another method only.
  password_hash text,
  platform_admin boolean not null default false,
  -- locked: by an admin, may not sign in. erased: personal data is gone, the row stays for what refers to it.
  state text not null default 'active' check (state in ('active', 'locked', 'erased')),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  check ((state = 'erased') = (email is null)),
  check (state <> 'erased' or (name is null and password_hash is null and not platform_admin))
);
create unique index person_email on person (lower(email)) where state <> 'erased';

-- A signed-in browser. Only the hash of its token is kept. methods: how the person proved who they are, in order.
create table session (
  id uuid primary key default gen_random_uuid(),
  person_id uuid not null references person,
  token_sha256 bytea not null unique check (octet_length(token_sha256) = 32),
  methods text[] not null check (
    cardinality(methods) > 0
    and methods <@ array['password', 'totp', 'recovery', 'passkey', 'google', 'github', 'gitlab', 'confirmation']),
  address inet,
  user_agent text check (length(user_agent) <= 300),
  created_at timestamptz not null default now(),
  -- When the person last proved who they are; sensitive actions ask for a recent proof.
  authenticated_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index session_person on session (person_id, created_at) where revoked_at is null;
create index session_expired on session (expires_at);

-- Which people belong to a tenant. member_id is their seat in the ledger; a role without a seat has none.
create table membership (
  tenant_id bigint not null references tenant,
  person_id uuid not null references person,
  role text not null check (role in ('owner', 'admin', 'member', 'billing')),
  member_id uuid unique references member,
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id)
);
create index membership_person on membership (person_id);
