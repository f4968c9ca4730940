-- Ways in beside the password: accounts at other providers, passkeys, and the second factor with its recovery codes.
-- Each thing that may be used once is used up by one conditional statement, whichever replica the attempt reaches.

-- Where a person may come from. Keyed by what the provider never changes; the address is what it said last, for display.
create table identity (
  provider text not null check (provider in ('google', 'github', 'gitlab')),
  subject text not null check (length(subject) between 1 and 255),
  person_id uuid not null references person on delete cascade,
  email text not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  primary key (provider, subject),
  unique (person_id, provider)
);

-- A browser that was sent to a provider and is expected back, once. Of its secrets only hashes are here: PKCE verifier
-- and nonce are made of the state and of the browser's cookie, so neither this table nor a seen address is enough.
create table provider_visit (
  state_sha256 bytea primary key check (octet_length(state_sha256) = 32),
  browser_sha256 bytea not null check (octet_length(browser_sha256) = 32),
  provider text not null check (provider in ('google', 'github', 'gitlab')),
  return_to text check (length(return_to) <= 2048),
  -- Set when somebody signed in adds the provider to the own account.
  link_person_id uuid references person on delete cascade,
  expires_at timestamptz not null
);
create index provider_visit_overdue on provider_visit (expires_at);

-- An identity that a provider has proved and that waits for its person: to accept the terms, or to sign in to the account
-- that has the address already.
create table waiting_identity (
  token_sha256 bytea primary key check (octet_length(token_sha256) = 32),
  purpose text not null check (purpose in ('terms', 'link')),
  provider text not null check (provider in ('google', 'github', 'gitlab')),
  subject text not null check (length(subject) between 1 and 255),
  email text not null,
  name text not null,
  expires_at timestamptz not null
);
create index waiting_identity_overdue on waiting_identity (expires_at);

-- Codes of an authenticator app. The secret is sealed; it counts from the first right code on. A code's time step and all
-- before it are used up with it.
create table totp (
  person_id uuid primary key references person on delete cascade,
  secret bytea not null,
  confirmed_at timestamptz,
  last_step bigint not null default 0,
  created_at timestamptz not null default now()
);

create table recovery_code (
  person_id uuid not null references person on delete cascade,
  hmac bytea not null check (octet_length(hmac) = 32),
  used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (person_id, hmac)
);

create table passkey (
  id uuid primary key default gen_random_uuid(),
  person_id uuid not null references person on delete cascade,
  credential_id bytea not null unique check (octet_length(credential_id) between 1 and 1023),
  public_key bytea not null,
  -- Grows with each use where the authenticator counts at all; one that does not grow is a copy.
  counter bigint not null check (counter >= 0),
  transports text[] not null,
  name text not null check (length(name) between 1 and 100),
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create index passkey_of_person on passkey (person_id);

create table passkey_challenge (
  challenge bytea primary key check (octet_length(challenge) = 32),
  purpose text not null check (purpose in ('register', 'sign_in', 'second_factor')),
  person_id uuid references person on delete cascade,
  expires_at timestamptz not null,
  check ((purpose = 'sign_in') = (person_id is null))
);
create index passkey_challenge_overdue on passkey_challenge (expires_at);
