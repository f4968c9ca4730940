-- Comparisons of the ledger with itself and with what the gateways reported. night is set for the one of each night: its
-- uniqueness is what keeps replicas from doing it twice.
create table reconciliation (
  id uuid primary key default gen_random_uuid(),
  cause text not null check (cause in ('night', 'admin')),
  night date unique,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  ok boolean not null,
  faults jsonb not null,
  figures jsonb not null,
  check ((cause = 'night') = (night is not null)),
  check (ok = (faults = '[]'))
);
create index reconciliation_page on reconciliation (started_at, id);
