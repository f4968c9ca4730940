-- Recomputes every balance from its lines alone, and looks for anything that does not add up. No row: all is well.
create view ledger_faults as
with line as (
  select e.*,
    row_number() over w as ordinal,
    sum(case kind when 'grant' then amount when 'lapse' then -amount when 'revoke' then -amount else 0 end) over w as granted,
    sum(case kind when 'post' then amount when 'refund' then -amount else 0 end) over w as posted,
    sum(case kind when 'hold' then amount when 'post' then -released when 'void' then -amount
             when 'expire' then -amount when 'lease' then amount when 'draw' then -amount else 0 end) over w as held,
    sum(case kind when 'overrun' then amount else 0 end) over w as overrun
  from ledger_entry e window w as (partition by account_id order by sequence)
), last as (
  select distinct on (account_id) * from line order by account_id, sequence desc
), live as (
  select account_id, sum(amount) as held from hold where state = 'held' group by account_id
), draw as (
  select e.account_id, e.sequence, e.kind, e.amount, d.lot, d.part
  from ledger_entry e, unnest(e.lots, e.drawn) d(lot, part)
), sub as (
  select e.account_id, s.subject_id, h.period,
    sum(case e.kind when 'post' then e.amount when 'refund' then -e.amount else 0 end) as posted,
    sum(case e.kind when 'hold' then e.amount when 'post' then -e.released when 'void' then -e.amount
             when 'expire' then -e.amount else 0 end) as held
  from ledger_entry e join hold h using (account_id, request_id)
  cross join lateral (values (e.member_id), (e.key_id)) s(subject_id)
  where s.subject_id is not null and not exists (select 1 from api_key k where k.id = s.subject_id and k.kind = 'chat')
  group by 1, 2, 3
)
select account_id, 'line ' || sequence || ' does not follow from the lines before it' as fault from line
where ordinal <> sequence or granted <> granted_after or posted <> posted_after or held <> held_after
   or overrun <> overrun_after
union all
select b.account_id, 'the balance is not what its lines say' from balance b left join last l using (account_id)
where (b.granted, b.posted, b.held, b.overrun, b.sequence) is distinct from
      (coalesce(l.granted_after, 0), coalesce(l.posted_after, 0), coalesce(l.held_after, 0),
       coalesce(l.overrun_after, 0), coalesce(l.sequence, 0))
union all
select b.account_id, 'held is not the sum of the live holds' from balance b left join live using (account_id)
where b.held <> coalesce(live.held, 0)
union all
select coalesce(q.account_id, sub.account_id),
  coalesce(q.kind, 'account') || ' ' || coalesce(q.subject_id, sub.subject_id) || ' has not the balance its lines say in '
    || coalesce(q.period, sub.period)
from sub_balance q full join sub on sub.subject_id = q.subject_id and sub.period = q.period
where (q.account_id, q.posted, q.held) is distinct from (sub.account_id, sub.posted, sub.held)
  and (q.posted <> 0 or q.held <> 0 or sub.posted <> 0 or sub.held <> 0)
union all
select account_id, 'line ' || sequence || ' moves another amount than its lots' from draw
group by account_id, sequence, kind, amount
having sum(part) <> case when kind in ('grant', 'refund') then -amount else amount end
union all
select account_id, 'line ' || sequence || ' moves money of no lot' from ledger_entry
where kind in ('grant', 'lapse', 'post', 'refund', 'revoke') and amount <> 0 and coalesce(cardinality(lots), 0) = 0
union all
select l.account_id, 'lot ' || l.id || ' has not what its lines say' from lot l left join draw d on d.lot = l.id
group by l.id having l.remaining <> -coalesce(sum(d.part), 0) or count(*) filter (where d.account_id <> l.account_id) > 0
union all
select l.account_id, 'lot ' || l.id || ' comes from no grant' from lot l
left join ledger_grant g on g.id = l.grant_id and g.account_id = l.account_id where g.id is null
union all
select b.account_id, 'the lots do not add up to what is granted and not posted' from balance b
left join (select account_id, sum(remaining) as remaining from lot group by account_id) l using (account_id)
where b.granted - b.posted <> coalesce(l.remaining, 0)
union all
select h.account_id, 'request ' || h.request_id || ' has no single end'
from hold h left join ledger_entry e using (account_id, request_id)
where h.reason is distinct from 'lease_ended'
group by h.account_id, h.request_id, h.state, h.payload
having h.payload is not null and (
     count(*) filter (where e.kind in ('hold', 'lease')) <> (h.state <> 'refused')::int
  or count(*) filter (where e.kind = 'refuse') <> (h.state = 'refused')::int
  or count(*) filter (where e.kind = 'post') <> (h.state = 'posted')::int
  or count(*) filter (where e.kind in ('void', 'expire')) > (h.state in ('voided', 'expired', 'posted'))::int
  or count(*) filter (where e.kind in ('void', 'expire')) < (h.state in ('voided', 'expired'))::int)
union all
select h.account_id, 'lease ' || h.request_id || ' has not what its draws left' from hold h
where h.request_id = h.lease_id and h.amount <> (
  select coalesce(sum(case e.kind when 'lease' then e.amount else -e.amount end), 0)
  from hold q join ledger_entry e on e.account_id = q.account_id and e.request_id = q.request_id
  where q.account_id = h.account_id and q.lease_id = h.lease_id
    and e.kind = case when q.request_id = q.lease_id then 'lease' else 'draw' end)
union all
select u.account_id, 'request ' || u.request_id || ' was billed otherwise than its line says'
from usage_line u left join ledger_entry e
  on e.account_id = u.account_id and e.request_id = u.request_id and e.kind in ('post', 'overrun')
group by u.account_id, u.request_id, u.total having u.total <> coalesce(sum(e.amount), 0)
union all
select g.account_id, 'a grant has no line' from ledger_grant g left join ledger_entry e
  on e.account_id = g.account_id and e.sequence = g.sequence and e.kind = 'grant' and e.amount = g.amount
where e.sequence is null
union all
select v.account_id, 'more was reversed than line ' || v.reverses || ' has moved'
from ledger_reversal v join ledger_entry e on e.account_id = v.account_id and e.sequence = v.reverses
group by v.account_id, v.reverses, e.amount having sum(v.amount) > e.amount;

create function ledger_assert_balanced() returns void language plpgsql as $$
declare
  f record;
begin
  select * into f from ledger_faults limit 1;
  if found then
    raise exception 'account %: %', f.account_id, f.fault using errcode = 'CF002';
  end if;
end $$;
