-- Sums of usage lines by day of the tenant's time zone, user, key and model, for queries over long spans. Written with
-- the lines themselves, in the same transaction and under the same lock of the account, so they are never behind.
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

-- What the rollups of an account have to be: the definition both of the trigger below and of the nightly comparison.
create function usage_sums(p_account bigint) returns setof usage_rollup language sql stable as $$
  select u.account_id, (u.at at time zone t.time_zone)::date, u.member_id, u.key_id, u.terms ->> 'model', u.model_served,
    count(*), sum(input_tokens)::bigint, sum(cached_input_tokens)::bigint, sum(cache_write_tokens)::bigint,
    sum(audio_input_tokens)::bigint, sum(output_tokens)::bigint, sum(audio_output_tokens)::bigint, sum(images)::bigint, sum(cost)::bigint, sum(margin)::bigint, sum(total)::bigint,
    sum(posted)::bigint, sum(overrun)::bigint
  from usage_line u join account a on a.id = u.account_id join tenant t on t.id = a.tenant_id
  where p_account is null or u.account_id = p_account
  group by 1, 2, 3, 4, 5, 6
$$;

create function usage_roll_up() returns trigger language plpgsql as $$
begin
  insert into usage_rollup as r
  select u.account_id, (u.at at time zone t.time_zone)::date, u.member_id, u.key_id, u.terms ->> 'model', u.model_served,
    count(*), sum(input_tokens), sum(cached_input_tokens), sum(cache_write_tokens), sum(audio_input_tokens),
    sum(output_tokens), sum(audio_output_tokens), sum(images),
    sum(cost), sum(margin), sum(total), sum(posted), sum(overrun)
  from line u join account a on a.id = u.account_id join tenant t on t.id = a.tenant_id
  group by 1, 2, 3, 4, 5, 6
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
  return null;
end $$;
create trigger usage_line_rolls_up after insert on usage_line referencing new table as line
  for each statement execute function usage_roll_up();

-- In another time zone days begin elsewhere: the tenant's days are cut anew. Its account is locked first, so that no
-- line is written meanwhile; those that wait read the new zone after it.
create function usage_cut_days() returns trigger language plpgsql as $$
begin
  perform from balance b join account a on a.id = b.account_id where a.tenant_id = new.id for update of b;
  delete from usage_rollup r using account a where a.id = r.account_id and a.tenant_id = new.id;
  insert into usage_rollup select s.* from account a, usage_sums(a.id) s where a.tenant_id = new.id;
  return null;
end $$;
create trigger tenant_changes_time_zone after update of time_zone on tenant for each row
  when (old.time_zone <> new.time_zone) execute function usage_cut_days();

-- Rollups that are not what their lines say. No row: all is well.
create view usage_faults as
select coalesce(s.account_id, r.account_id) as account_id, coalesce(s.day, r.day) as day,
  coalesce(s.total, 0) as total_of_lines, coalesce(r.total, 0) as total_of_rollups
from usage_sums(null) s full join usage_rollup r
  on (s.account_id, s.day, s.model, s.model_served) = (r.account_id, r.day, r.model, r.model_served)
  and coalesce(s.member_id::text, '') = coalesce(r.member_id::text, '')
  and coalesce(s.key_id::text, '') = coalesce(r.key_id::text, '')
where s is distinct from r;
