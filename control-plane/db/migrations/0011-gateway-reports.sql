-- What each gateway last said of its outbox: the requests it still has to tell the end of, and how it gets on. One row
-- per gateway process; the nightly comparison holds it against the live holds.
create table gateway_report (
  tenant_id bigint not null references tenant,
  gateway text not null check (length(gateway) <= 200),
  at timestamptz not null,
  undelivered int not null check (undelivered >= 0),
  oldest_seconds int not null check (oldest_seconds >= 0),
  dead_letters int not null check (dead_letters >= 0),
  open uuid[] not null,
  complete boolean not null,
  primary key (tenant_id, gateway)
);
