import type pg from 'pg';

/** In which ways a person can sign in. The second factors that are no first one are not among them. */
export type WaysIn = {
  readonly password: boolean;
  /** The providers of their identities. */
  readonly identities: readonly string[];
  /** The ids of their passkeys. */
  readonly passkeys: readonly string[];
};

/**
 * Locks the person, so that two removals at the same time cannot each leave the other's way as the last.
 * A forgotten password can always be set anew by mail; this is about not needing to.
 */
export async function lockWaysIn(client: pg.ClientBase, personId: string): Promise<WaysIn> {
  await client.query('select from person where id = $1 for no key update', [personId]);
  const { rows } = await client.query<WaysIn>(
    `select password_hash is not null as password,
       array(select provider from identity where person_id = $1) as identities,
       array(select id::text from passkey where person_id = $1) as passkeys
     from person where id = $1`,
    [personId],
  );
  return rows[0] ?? { password: false, identities: [], passkeys: [] };
}

/** Whether a person who loses one of these could still sign in without a mail. */
export function isLastWayIn({ password, identities, passkeys }: WaysIn): boolean {
  return !password && identities.length + passkeys.length <= 1;
}
