import type pg from 'pg';
import { z } from 'zod';

/** A passkey as its owner sees it. */
export type Passkey = {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
};

const Row = z.object({ id: z.string(), name: z.string(), created_at: z.date(), last_used_at: z.date().nullable() });

export function passkeyOf(row: unknown): Passkey {
  const { id, name, created_at, last_used_at } = Row.parse(row);
  return { id, name, createdAt: created_at, lastUsedAt: last_used_at };
}

/** A person's passkeys, oldest first. There are at most MAX_PASSKEYS. */
export async function listPasskeys(pool: pg.Pool, personId: string): Promise<Passkey[]> {
  const { rows } = await pool.query('select * from passkey where person_id = $1 order by created_at, id', [personId]);
  return rows.map(passkeyOf);
}

/** Removes one; undefined when the person has none of that id. */
export async function removePasskey(client: pg.ClientBase, personId: string, id: string): Promise<Passkey | undefined> {
  const { rows } = await client.query('delete from passkey where id = $1 and person_id = $2 returning *', [
    id,
    personId,
  ]);
  return rows[0] === undefined ? undefined : passkeyOf(rows[0]);
}
