import type pg from 'pg';
import { PLATFORM_CHAIN } from '../audit/append.ts';
import { entriesInOrder } from '../audit/read.ts';
import type { Vault } from '../crypto/vault.ts';
import { auditEntryView } from '../routes/audit/audit-view.ts';
import { chatDataOf, partsOf } from './chat-data.ts';
import { type SeatOf, seatsOf } from './seats-of.ts';

/** Rows fetched at once. */
const FETCH = 500;
/** A long history takes longer than any statement of a request may. */
const TIMEOUT = '10min';

type Section = { readonly name: string; readonly rows: string; readonly by: 'person' | 'email' | 'seats' };

/**
 * Everything that is stored about a person but secrets, section by section: each a query that answers one JSON text per
 * row. $1 is the person's id, their address or the ids of their seats.
 */
const SECTIONS: readonly Section[] = [
  {
    name: 'profile',
    by: 'person',
    rows: `select jsonb_build_object('id', id, 'email', email, 'name', name, 'language', language, 'emailVerifiedAt',
      email_verified_at, 'platformAdmin', platform_admin, 'createdAt', created_at) from person where id = $1`,
  },
  {
    name: 'terms',
    by: 'person',
    rows: `select jsonb_build_object('version', version, 'acceptedAt', accepted_at, 'address', host(address))
      from terms_acceptance where person_id = $1 order by accepted_at`,
  },
  {
    name: 'sessions',
    by: 'person',
    rows: `select jsonb_build_object('methods', methods, 'address', host(address), 'userAgent', user_agent, 'createdAt',
      created_at, 'lastSeenAt', last_seen_at, 'expiresAt', expires_at, 'revokedAt', revoked_at)
      from session where person_id = $1 order by created_at`,
  },
  {
    name: 'waysToSignIn',
    by: 'person',
    rows: `select jsonb_build_object('kind', 'password') from person where id = $1 and password_hash is not null
      union all select jsonb_build_object('kind', 'authenticator', 'createdAt', created_at) from totp where person_id = $1
      union all select jsonb_build_object('kind', 'passkey', 'name', name, 'createdAt', created_at, 'lastUsedAt',
        last_used_at) from passkey where person_id = $1
      union all select jsonb_build_object('kind', provider, 'email', email, 'createdAt', created_at, 'lastUsedAt',
        last_used_at) from identity where person_id = $1`,
  },
  {
    name: 'memberships',
    by: 'person',
    rows: `select jsonb_build_object('tenant', t.name, 'role', m.role, 'since', m.created_at)
      from membership m join tenant t on t.id = m.tenant_id where m.person_id = $1 order by m.created_at`,
  },
  {
    name: 'invitations',
    by: 'email',
    rows: `select jsonb_build_object('tenant', t.name, 'role', i.role, 'state', i.state, 'createdAt', i.created_at)
      from invitation i join tenant t on t.id = i.tenant_id where lower(i.email) = lower($1) order by i.created_at`,
  },
  {
    name: 'seats',
    by: 'seats',
    rows: `select jsonb_build_object('id', m.id, 'tenant', t.name, 'email', m.email, 'name', m.name, 'chatAccount',
      coalesce(m.external_id, m.former_external_id), 'monthlyBudgetNanoEur', m.monthly_budget::text, 'since',
      m.created_at, 'removedAt', m.removed_at)
      from member m join tenant t on t.id = m.tenant_id where m.id = any($1) order by m.created_at`,
  },
  {
    name: 'keys',
    by: 'person',
    rows: `select jsonb_build_object('tenant', t.name, 'name', k.name, 'scopes', k.scopes, 'createdAt', k.created_at,
      'lastUsedAt', k.last_used_at, 'expiresAt', k.expires_at, 'revokedAt', k.revoked_at)
      from api_key k join tenant t on t.id = k.tenant_id where k.person_id = $1 order by k.created_at`,
  },
  {
    name: 'usage',
    by: 'seats',
    rows: `select jsonb_build_object('tenant', t.name, 'at', u.at, 'requestId', u.request_id, 'model', u.model_served,
      'inputTokens', u.input_tokens, 'outputTokens', u.output_tokens, 'images', u.images, 'totalNanoEur', u.total::text)
      from usage_line u join account a on a.id = u.account_id join tenant t on t.id = a.tenant_id
      where u.member_id = any($1) order by u.account_id, u.sequence`,
  },
  {
    name: 'ledger',
    by: 'seats',
    rows: `select jsonb_build_object('tenant', t.name, 'at', l.at, 'kind', l.kind, 'requestId', l.request_id,
      'amountNanoEur', l.amount::text)
      from ledger_entry l join account a on a.id = l.account_id join tenant t on t.id = a.tenant_id
      where l.member_id = any($1) order by l.account_id, l.sequence`,
  },
];

/** All data of a person as one JSON document, piece by piece, as of one instant. */
export async function* exportPerson(
  pool: pg.Pool,
  vault: Vault,
  person: { readonly id: string; readonly email: string },
): AsyncGenerator<string> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin isolation level repeatable read read only');
    await client.query(`set local statement_timeout = '${TIMEOUT}'`);
    const seats = await seatsOf(client, person.id, person.email);
    const values = { person: person.id, email: person.email, seats: seats.map(({ id }) => id) };
    yield `{"madeAt":${JSON.stringify(new Date().toISOString())}`;
    for (const { name, by, rows } of SECTIONS) yield* list(name, rowsOf(client, rows, values[by]));
    yield* list('audit', auditOf(client, person.id, seats));
    yield ',"chats":[';
    yield* chatsOf(client, vault, person.id);
    yield ']}\n';
  } finally {
    await client.query('rollback').catch((error: Error) => {
      broken = error;
    });
    client.release(broken);
  }
}

async function* list(name: string, texts: AsyncIterable<string>): AsyncGenerator<string> {
  yield `,${JSON.stringify(name)}:[`;
  let separator = '';
  for await (const text of texts) {
    yield `${separator}${text}`;
    separator = ',';
  }
  yield ']';
}

async function* rowsOf(client: pg.PoolClient, query: string, value: unknown): AsyncGenerator<string> {
  await client.query(`declare export_rows no scroll cursor for select row::text from (${query}) rows (row)`, [value]);
  for (let more = true; more; ) {
    const { rows } = await client.query<{ row: string }>(`fetch ${FETCH} from export_rows`);
    for (const { row } of rows) yield row;
    more = rows.length === FETCH;
  }
  await client.query('close export_rows');
}

/** What the person did: on the platform and in the tenants where they have or had a seat. */
async function* auditOf(client: pg.PoolClient, person: string, seats: readonly SeatOf[]): AsyncGenerator<string> {
  for (const chain of new Set([PLATFORM_CHAIN, ...seats.map(({ tenantId }) => tenantId)])) {
    for await (const entry of entriesInOrder(client, chain, { actorId: person })) {
      yield JSON.stringify(auditEntryView(entry));
    }
  }
}

/** An export of a chat is as long as its person wrote: it goes through piece by piece. */
async function* chatsOf(client: pg.PoolClient, vault: Vault, person: string): AsyncGenerator<string> {
  let separator = '';
  for (const { id, tenant, state, created_at, ended_at } of await chatDataOf(client, person, 'export')) {
    const about = JSON.stringify({ tenant, state, askedAt: created_at, answeredAt: ended_at });
    yield `${separator}${about.slice(0, -1)},"data":`;
    if (state === 'done') yield* partsOf(client, vault, id);
    else yield 'null';
    yield '}';
    separator = ',';
  }
}
