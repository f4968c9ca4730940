import type pg from 'pg';
import { z } from 'zod';
import type { Vault } from '../crypto/vault.ts';

/** Minutes whoever took a request has for it. */
const TAKEN_MINUTES = 30;
/** Minutes until a request that failed is offered again: as many times the square of its tries, up to a limit. */
const PAUSE_MINUTES = 4;
const MAX_PAUSE_MINUTES = 360;
/** Tries of one export, over some days; then it has failed, and a person has to look. An erasure is never given up. */
export const MAX_ATTEMPTS = 20;
/** Days an export can be fetched; then it is taken away. */
export const EXPORT_DAYS = 7;
const SUBJECT_PURPOSE = 'chat-data-subject';
const PART_PURPOSE = 'chat-data-part';

/** Whose chats: every way in which the chat may know the person. */
export const ChatSubject = z.object({
  personId: z.uuid(),
  externalIds: z.array(z.string()),
  emails: z.array(z.string()),
});
export type ChatSubject = z.output<typeof ChatSubject>;

export type ChatDataKind = 'export' | 'erase';

/** Asks a tenant's chat for a person's data, or for its erasure. One that waits already stands for both. */
export async function requestChatData(
  client: pg.PoolClient,
  vault: Vault,
  tenant: bigint,
  kind: ChatDataKind,
  subject: ChatSubject,
): Promise<void> {
  const { rows } = await client.query<{ id: string }>('select gen_random_uuid() as id');
  const id = rows[0]?.id ?? '';
  await client.query(
    `insert into chat_data_request (id, tenant_id, person_id, kind, subject) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [id, tenant, subject.personId, kind, vault.seal(SUBJECT_PURPOSE, JSON.stringify(subject), id)],
  );
}

const Taken = z.object({ id: z.uuid(), kind: z.enum(['export', 'erase']), subject: z.instanceof(Buffer) });
export type TakenRequest = { readonly id: string; readonly kind: ChatDataKind; readonly subject: ChatSubject };

/**
 * Takes the oldest request of a tenant that nobody is at; erasures first. What an earlier try brought goes: its pieces
 * and those of this one would not fit.
 */
export async function takeChatData(pool: pg.Pool, vault: Vault, tenant: bigint): Promise<TakenRequest | undefined> {
  const { rows } = await pool.query(
    `with taken as (
     update chat_data_request set taken_until = now() + make_interval(mins => $2), attempts = attempts + 1
     where id = (select id from chat_data_request
       where tenant_id = $1 and state = 'waiting' and coalesce(taken_until, '-infinity') < now()
         and (attempts < $3 or kind = 'erase')
       order by kind = 'export', created_at limit 1 for update skip locked)
     returning id, kind, subject),
     dropped as (delete from chat_data_part where request_id in (select id from taken))
     select id, kind, subject from taken`,
    [tenant, TAKEN_MINUTES, MAX_ATTEMPTS],
  );
  if (rows[0] === undefined) return undefined;
  const { id, kind, subject } = Taken.parse(rows[0]);
  return { id, kind, subject: ChatSubject.parse(JSON.parse(vault.open(SUBJECT_PURPOSE, subject, id))) };
}

/** Keeps a piece of an export; the same piece again replaces it. @returns false when there is no such request */
export async function storePart(
  pool: pg.Pool,
  vault: Vault,
  tenant: bigint,
  request: string,
  part: number,
  text: string,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `insert into chat_data_part (request_id, part, sealed)
     select id, $3, $4 from chat_data_request
     where id = $1 and tenant_id = $2 and kind = 'export' and state = 'waiting'
     on conflict (request_id, part) do update set sealed = excluded.sealed`,
    [request, tenant, part, vault.seal(PART_PURPOSE, text, `${request}/${part}`)],
  );
  return rowCount === 1;
}

export type ChatDataEnd =
  | { readonly outcome: 'done'; readonly found: number; readonly parts: number }
  | { readonly outcome: 'failed'; readonly error: string };

/**
 * Ends a request, or notes why it failed this time. An export is done only when all of its pieces are there; an erasure
 * also takes from us what was kept for it to be found by.
 */
export async function endChatData(
  client: pg.PoolClient,
  tenant: bigint,
  request: string,
  end: ChatDataEnd,
): Promise<'ended' | 'noted' | 'unknown' | 'incomplete'> {
  const { rows } = await client.query<{ kind: string; parts: bigint; attempts: number; person_id: string }>(
    `select kind, attempts, person_id, (select count(*) from chat_data_part where request_id = r.id) as parts
     from chat_data_request r where id = $1 and tenant_id = $2 and state = 'waiting' for update`,
    [request, tenant],
  );
  const found = rows[0];
  if (found === undefined) return 'unknown';
  if (end.outcome === 'failed') {
    const givenUp = found.kind === 'export' && found.attempts >= MAX_ATTEMPTS;
    await client.query(
      `update chat_data_request set last_error = $2, state = $3,
         taken_until = now() + make_interval(mins => least(attempts * attempts * $5, $6)),
         subject = case when $4 then null else subject end, ended_at = case when $4 then clock_timestamp() end
       where id = $1`,
      [request, end.error, givenUp ? 'failed' : 'waiting', givenUp, PAUSE_MINUTES, MAX_PAUSE_MINUTES],
    );
    return 'noted';
  }
  // An export without a piece would be no document.
  if (found.kind === 'export' && (found.parts === 0n || found.parts !== BigInt(end.parts))) return 'incomplete';
  await client.query(
    `update chat_data_request set state = 'done', subject = null, last_error = null, taken_until = null, found = $2,
       ended_at = clock_timestamp() where id = $1`,
    [request, end.found],
  );
  if (found.kind === 'erase') {
    // By it the gateway knew whom to refuse until the chat's account was gone.
    await client.query('update member set former_external_id = null where tenant_id = $1 and removed_person_id = $2', [
      tenant,
      found.person_id,
    ]);
  }
  return 'ended';
}

const State = z.object({
  id: z.uuid(),
  tenant: z.string(),
  kind: z.enum(['export', 'erase']),
  state: z.enum(['waiting', 'done', 'failed']),
  created_at: z.date(),
  ended_at: z.date().nullable(),
});
export type ChatDataState = z.output<typeof State>;

/** The newest request of a kind for each of a person's tenants. */
export async function chatDataOf(
  client: pg.Pool | pg.PoolClient,
  person: string,
  kind: ChatDataKind,
): Promise<ChatDataState[]> {
  const { rows } = await client.query(
    `select distinct on (r.tenant_id) r.id, t.name as tenant, r.kind, r.state, r.created_at, r.ended_at
     from chat_data_request r join tenant t on t.id = r.tenant_id
     where r.person_id = $1 and r.kind = $2 order by r.tenant_id, r.created_at desc`,
    [person, kind],
  );
  return z.array(State).parse(rows);
}

/** The pieces of an export, in their order. */
export async function* partsOf(client: pg.PoolClient, vault: Vault, request: string): AsyncGenerator<string> {
  for (let part = 0; ; part += 1) {
    const { rows } = await client.query<{ sealed: Buffer }>(
      'select sealed from chat_data_part where request_id = $1 and part = $2',
      [request, part],
    );
    if (rows[0] === undefined) return;
    yield vault.open(PART_PURPOSE, rows[0].sealed, `${request}/${part}`);
  }
}

/** Takes away exports that are older than they may be fetched; gives up one whose last taker never came back. */
export async function forgetOldExports(pool: pg.Pool): Promise<void> {
  await pool.query(
    `update chat_data_request set state = 'failed', subject = null, ended_at = clock_timestamp(),
       last_error = 'the last run that took it did not come back'
     where kind = 'export' and state = 'waiting' and attempts >= $1 and taken_until < now()`,
    [MAX_ATTEMPTS],
  );
  await pool.query(
    `delete from chat_data_request
     where kind = 'export' and coalesce(ended_at, created_at) < now() - make_interval(days => $1)`,
    [EXPORT_DAYS],
  );
}
