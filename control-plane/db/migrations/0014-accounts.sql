-- Accounts: registrations that wait for their confirmation, sign-ins that wait for a second factor, what mails' links
-- stand for, counters of attempts, and the mails themselves. Of every token only the sha-256 is here.

-- A person who has not confirmed the address yet. Not a row of person: nobody is anybody before the mail was answered, so
-- a stranger who registers an address first takes nothing from its owner. Each registration stands for itself with its
-- own password and token; the one that is confirmed ends the others of its address. browser_sha256 is the cookie of the
-- browser that registered: a link opened in another one has to be followed by the registration's password, so the
-- owner who clicks the link of a stranger's registration does not hand the stranger a confirmed account.
create table registration (
  id uuid primary key default gen_random_uuid(),
  email text not null check (length(email) <= 254),
  name text not null,
  language text not null check (language in ('de', 'en')),
  password_hash text not null,
  terms_version text not null,
  token_sha256 bytea not null unique check (octet_length(token_sha256) = 32),
  browser_sha256 bytea not null unique check (octet_length(browser_sha256) = 32),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
create index registration_email on registration (lower(email));
create index registration_expiry on registration (expires_at);

-- Which version of the terms a person accepted, and when. A row per version.
create table terms_acceptance (
  person_id uuid not null references person,
  version text not null,
  accepted_at timestamptz not null default clock_timestamp(),
  primary key (person_id, version)
);

-- Somebody asked to set a new password for an address. The row is made whether or not a person has it: who asks learns
-- nothing, not even by the clock. Whose it is is looked up when the mail is sent and when the token comes back.
create table password_reset (
  token_sha256 bytea primary key check (octet_length(token_sha256) = 32),
  email text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
create index password_reset_email on password_reset (lower(email));
create index password_reset_expiry on password_reset (expires_at);

-- confirm: sent to the new address (email is that). undo: sent to the old one (email is that), for a week.
create table address_change (
  token_sha256 bytea primary key check (octet_length(token_sha256) = 32),
  person_id uuid not null references person,
  kind text not null check (kind in ('confirm', 'undo')),
  email text not null check (length(email) <= 254),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
create index address_change_person on address_change (person_id);
create index address_change_expiry on address_change (expires_at);

-- The first factor was right, the second is still due. Nothing else can be done with it.
create table pending_sign_in (
  token_sha256 bytea primary key check (octet_length(token_sha256) = 32),
  person_id uuid not null references person,
  methods text[] not null check (cardinality(methods) > 0),
  attempts int not null default 0 check (attempts >= 0),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
create index pending_sign_in_person on pending_sign_in (person_id);
create index pending_sign_in_expiry on pending_sign_in (expires_at);

-- Attempts counted per rule and subject (an account, a network address). subject is a keyed hash: the table names nobody.
-- An attempt is counted before it is made, so that parallel ones, at any number of replicas, cannot outrun the count.
create table throttle (
  rule text not null,
  subject bytea not null check (octet_length(subject) = 32),
  attempts int not null check (attempts >= 0),
  blocked_until timestamptz,
  forgotten_at timestamptz not null,
  primary key (rule, subject)
);
create index throttle_forgotten on throttle (forgotten_at);

-- Counts an attempt unless one is blocked now. Answers the milliseconds to wait; 0: go on. Beyond the free attempts each
-- one doubles the wait that follows it.
create function throttle_attempt(
  p_rule text, p_subject bytea, p_free int, p_first_wait_ms bigint, p_longest_wait_ms bigint, p_forget_ms bigint
) returns bigint language plpgsql as $$
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
end $$;

-- Mails, written in the transaction of their cause. sealed holds all that a mail says and to whom, enciphered, and is
-- emptied when the mail has left or was given up: this is no archive of what people were told. The queue's columns are
-- those of delivery.
create table mail (
  id uuid primary key default gen_random_uuid(),
  sealed bytea,
  state text not null default 'pending' check (state in ('pending', 'sent', 'dropped', 'failed')),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default clock_timestamp(),
  taken_until timestamptz,
  last_error text,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  check ((state = 'pending') = (ended_at is null)),
  check ((state = 'pending') = (sealed is not null))
);
create index mail_due on mail (next_attempt_at) where state = 'pending';
create index mail_ended on mail (ended_at) where state <> 'pending';

create function mail_rings() returns trigger language plpgsql as $$
begin
  perform pg_notify('cloudfreedom_mail', '');
  return null;
end $$;
create trigger mail_rings after insert on mail for each statement execute function mail_rings();
