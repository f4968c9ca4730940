-- Files of tenants. What a file is lies here; its bytes lie with a driver (a folder or S3) under the tenant's own prefix
-- and their sha-256, so two files of the same content share them and no tenant's address leads into another's.

-- Bytes that a driver holds, or is about to: a row comes before its bytes and goes after them, so none are forgotten.
create table file_content (
  tenant_id bigint not null references tenant,
  sha256 bytea not null check (octet_length(sha256) = 32),
  size bigint not null check (size >= 0),
  -- When somebody last began to store it: the sweeper leaves alone what is fresh.
  touched_at timestamptz not null default now(),
  primary key (tenant_id, sha256)
);
create index file_content_touched on file_content (touched_at);

create table file (
  tenant_id bigint not null references tenant,
  kind text not null check (kind in ('logo', 'export', 'invoice')),
  name text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
  content_type text not null,
  sha256 bytea not null,
  -- Whoever is answerable: a person, else the platform.
  person_id uuid references person,
  created_at timestamptz not null default now(),
  -- Exports are kept for a while only.
  expires_at timestamptz,
  primary key (tenant_id, kind, name),
  foreign key (tenant_id, sha256) references file_content
);
create index file_by_content on file (tenant_id, sha256);
create index file_expired on file (expires_at) where expires_at is not null;
