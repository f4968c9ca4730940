-- Sums of usage lines by day of the tenant's time zone, user, key and model, for queries over long spans. A settlement
-- pays nothing for them: they follow a few seconds behind, up to a known line, and queries add the lines after that one.
-- So what is read is always the sum of all lines there are, whether the rollups are a second behind or a day.
create table usage_rollup (
  account_id bigint not null references account,
  day date not null,
  member_id uuid,
  key_id uuid,
  model text not null,
  model_served text not null,
  requests bigint not null,
  input_tokens bigint not null,
  cached_input_tokens bigint not null,
  cache_write_tokens bigint not null,
  audio_input_tokens bigint not null,
  output_tokens bigint not null,
  audio_output_tokens bigint not null,
  images bigint not null,
  cost bigint not null,
  margin bigint not null,
  total bigint not null,
  posted bigint not null,
  overrun bigint not null
) with (fillfactor = 70);
create unique index usage_rollup_key on usage_rollup (account_id, day, member_id, key_id, model, model_served)
  nulls not distinct;

-- How far an account's rollups have come: the place of the last line in them.
create table usage_rolled (
  account_id bigint primary key references account,
  through bigint not null check (through >= 0)
) with (fillfactor = 50);

-- Sums of an account's lines with places above p_after, up to p_through.
create function usage_sums(p_account bigint, p_after bigint, p_through bigint) returns setof usage_rollup
language sql stable as $$
  select u.account_id, (u.at at time zone t.time_zone)::date, u.member_id, u.key_id, u.terms ->> 'model', u.model_served,
    count(*), sum(input_tokens)::bigint, sum(cached_input_tokens)::bigint, sum(cache_write_tokens)::bigint,
    sum(audio_input_tokens)::bigint, sum(output_tokens)::bigint, sum(audio_output_tokens)::bigint, sum(images)::bigint,
    sum(cost)::bigint, sum(margin)::bigint, sum(total)::bigint, sum(posted)::bigint, sum(overrun)::bigint
  from usage_line u join account a on a.id = u.account_id join tenant t on t.id = a.tenant_id
  where u.account_id = p_account and u.sequence > p_after and u.sequence <= p_through
  group by 1, 2, 3, 4, 5, 6
$$;

-- What an account has used until now: its rollups, and the lines that are not in them yet. A group may come twice.
create function usage_until_now(p_account bigint) returns setof usage_rollup language sql stable as $$
  select * from usage_rollup where account_id = p_account
  union all
  select * from usage_sums(p_account,
    coalesce((select through from usage_rolled where account_id = p_account), 0), 9223372036854775807)
$$;

-- Brings an account's rollups up to the present. Lines get their places under the account's lock, so all lines up to the
-- balance's place are there to be seen. One process at a time; another one that comes meanwhile leaves it alone.
create function usage_roll_up(p_account bigint) returns void language plpgsql as $$
declare
  v_from bigint;
  v_through bigint;
begin
  insert into usage_rolled (account_id, through) values (p_account, 0) on conflict do nothing;
  select through into v_from from usage_rolled where account_id = p_account for update skip locked;
  if not found then
    return;
  end if;
  select sequence into strict v_through from balance where account_id = p_account;
  insert into usage_rollup as r select * from usage_sums(p_account, v_from, v_through)
  on conflict (account_id, day, member_id, key_id, model, model_served) do update set
    requests = r.requests + excluded.requests,
    input_tokens = r.input_tokens + excluded.input_tokens,
    cached_input_tokens = r.cached_input_tokens + excluded.cached_input_tokens,
    cache_write_tokens = r.cache_write_tokens + excluded.cache_write_tokens,
    audio_input_tokens = r.audio_input_tokens + excluded.audio_input_tokens,
    output_tokens = r.output_tokens + excluded.output_tokens,
    audio_output_tokens = r.audio_output_tokens + excluded.audio_output_tokens,
    images = r.images + excluded.images,
    cost = r.cost + excluded.cost,
    margin = r.margin + excluded.margin,
    total = r.total + excluded.total,
    posted = r.posted + excluded.posted,
    overrun = r.overrun + excluded.overrun;
  update usage_rolled set through = v_through where account_id = p_account;
end $$;

-- In another time zone days begin elsewhere: the tenant's rollups begin anew. Who is rolling them up is waited for.
create function usage_cut_days() returns trigger language plpgsql as $$
begin
  insert into usage_rolled (account_id, through) select id, 0 from account where tenant_id = new.id
  on conflict (account_id) do update set through = 0;
  delete from usage_rollup r using account a where a.id = r.account_id and a.tenant_id = new.id;
  return null;
end $$;
create trigger tenant_changes_time_zone after update of time_zone on tenant for each row
  when (old.time_zone <> new.time_zone) execute function usage_cut_days();

-- Rollups that are not what their lines say. No row: all is well.
create view usage_faults as
with sums as (
  select s.* from usage_rolled r, lateral usage_sums(r.account_id, 0, r.through) s
)
select coalesce(s.account_id, r.account_id) as account_id, coalesce(s.day, r.day) as day,
  coalesce(s.total, 0) as total_of_lines, coalesce(r.total, 0) as total_of_rollups
from sums s full join usage_rollup r
  on (s.account_id, s.day, s.model, s.model_served) = (r.account_id, r.day, r.model, r.model_served)
  and coalesce(s.member_id::text, '') = coalesce(r.member_id::text, '')
  and coalesce(s.key_id::text, '') = coalesce(r.key_id::text, '')
where s is distinct from r;
