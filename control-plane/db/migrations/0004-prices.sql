-- Price snapshots: what LiteLLM's price file said when a release of it was taken over. A snapshot is named by the hash
-- of its content and never changes, so the unit prices of any line can be looked up for ever. The one that came in last
-- is in force; a model that carries prices of its own is not touched by it.
create table price_snapshot (
  id text primary key check (id ~ '^[0-9a-f]{64}$'),
  sequence bigint generated always as identity unique,
  litellm text not null,
  prices jsonb not null,
  created_at timestamptz not null default now()
);

create trigger price_snapshot_append_only before update or delete or truncate on price_snapshot
  for each statement execute function refuse_change();
revoke update, delete, truncate on price_snapshot from public, current_user;

create trigger prices_change_catalogue after insert on price_snapshot
  for each statement execute function catalogue_changed();

-- No foreign key: its check would lock the one snapshot's row for every line of every tenant. What is in the catalogue
-- is in this table, and stays.
alter table usage_line add column price_snapshot text generated always as (terms ->> 'priceSnapshot') stored;
