import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openPool } from '@cloudfreedom/control-plane/database/pool.ts';
import pg from 'pg';

/** The one account of every chat that is nobody's. */
export const BOOTSTRAP = 'bootstrap@acme.invalid';

/** Somebody's account in the chat: its id, and by what it is known. */
export type Account = { readonly id: string; readonly email: string; readonly subject?: string };

/** A chat's database, as Open WebUI makes it, in a database that is there. */
export async function chatDatabase(url: string): Promise<pg.Pool> {
  const pool = openPool({ url, onError: () => {} });
  await pool.query(await readFile(path.join(import.meta.dirname, 'open-webui.sql'), 'utf8'));
  const { rows } = await pool.query<{ name: string }>('select current_database() as name');
  await pool.query(`alter database ${rows[0]?.name} set search_path = chat`);
  await pool.end();
  const chat = openPool({ url, onError: () => {} });
  await chat.query(`insert into "user" (id, email, role, name) values ('root', $1, 'admin', 'Administrator')`, [
    BOOTSTRAP,
  ]);
  await chat.query(`insert into auth values ('root', $1, 'hash', true)`, [BOOTSTRAP]);
  await chat.query(`insert into config values ('ui.admin', '{}')`);
  return chat;
}

/** One row of everything that the chat stores about somebody: each text is theirs, and each secret says that it is one. */
export async function fill(chat: pg.Pool, { id, email, subject }: Account, said = `words of ${id}`): Promise<void> {
  const mine = pg.escapeLiteral(id);
  const text = pg.escapeLiteral(said);
  const json = pg.escapeLiteral(JSON.stringify(said));
  const oauth = pg.escapeLiteral(JSON.stringify(subject === undefined ? null : { oidc: { sub: subject } }));
  const settings = JSON.stringify({ ui: { theme: 'dark', directConnections: { keys: ['SECRET'] } }, tools: 'SECRET' });
  await chat.query(`
    insert into "user" (id, email, role, name, oauth, settings, info)
      values (${mine}, ${pg.escapeLiteral(email)}, 'user', ${text}, ${oauth}, '${settings}', 'null');
    insert into auth values (${mine}, ${pg.escapeLiteral(email)}, 'SECRET', true, '{"totp": "SECRET"}', 'SECRET');
    insert into api_key values (${mine}, ${mine}, 'SECRET' || ${mine}, '{}', 0, 0, 0, 0);
    insert into oauth_session values (${mine}, ${mine}, 'oidc', 'SECRET', 0, 0, 0);
    insert into chat (id, user_id, title, chat) values (${mine}, ${mine}, ${text}, ${json});
    insert into chat_message (id, chat_id, user_id, role, content) values (${mine}, ${mine}, ${mine}, 'user', ${json});
    insert into shared_chat (id, chat_id, user_id, title) values (${mine}, ${mine}, ${mine}, ${text});
    insert into folder (id, user_id, name) values (${mine}, ${mine}, ${text});
    insert into tag (id, user_id, name) values ('work', ${mine}, ${text});
    insert into memory (id, user_id, content) values (${mine}, ${mine}, ${text});
    insert into note (id, user_id, title) values (${mine}, ${mine}, ${text});
    insert into pinned_note values (${mine}, ${mine}, ${mine}, 0);
    insert into prompt (id, command, user_id, content) values (${mine}, ${mine}, ${mine}, ${text});
    insert into file (id, user_id, filename) values (${mine}, ${mine}, ${text});
    insert into chat_file values (${mine}, ${mine}, ${mine}, null, ${mine}, 0, 0);
    insert into feedback (id, user_id, data) values (${mine}, ${mine}, ${json});
    insert into tool (id, user_id, content, valves, updated_at) values (${mine}, ${mine}, ${text}, 'SECRET', 0);
    insert into channel (id, user_id, name) values (${mine}, ${mine}, ${text});
    insert into channel_webhook values (${mine}, ${mine}, ${mine}, ${text}, null, 'SECRET', 0, 0, 0);
    insert into message (id, user_id, channel_id, content) values (${mine}, ${mine}, ${mine}, ${text});
    insert into "group" (id, user_id, name) values (${mine}, ${mine}, ${text});
    insert into group_member values (${mine}, ${mine}, ${mine}, 0, 0);
    insert into access_grant values (${mine}, 'note', 'of somebody else', 'user', ${mine}, 'read', 0);
    insert into automation (id, user_id, name, data, created_at, updated_at) values (${mine}, ${mine}, ${text}, '{}', 0, 0);
    insert into automation_run values (${mine}, ${mine}, null, 'error', ${text}, 0);
  `);
}

/** How many rows of each table have `needle` anywhere in them. */
export async function rowsWith(chat: pg.Pool, needle: string): Promise<Record<string, number>> {
  const { rows } = await chat.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'chat' order by tablename`,
  );
  const found: Record<string, number> = {};
  for (const { name } of rows) {
    const counted = await chat.query<{ n: bigint }>(
      `select count(*) as n from "${name}" t where strpos(t::text, $1) > 0`,
      [needle],
    );
    const n = Number(counted.rows[0]?.n ?? 0n);
    if (n > 0) found[name] = n;
  }
  return found;
}
