import type pg from 'pg';

/** In how many ways a person can sign in. The second factors that are no first one are not among them. */
export type WaysIn = { readonly password: boolean; readonly identities: number; readonly passkeys: number };

/**
 * Locks the person, so that two removals at the same time cannot each leave the other's way as the last, and counts.
 * A forgotten password can always be set anew by mail; this is about not needing to.
 */
export async function lockWaysIn(client: pg.ClientBase, personId: string): Promise<WaysIn> {
  await client.query('select from person where id = $1 for no key update', [personId]);
  const { rows } = await client.query<WaysIn>(
    `select password_hash is not null as password,
       (select count(*)::int from identity where person_id = $1) as identities,
       (select count(*)::int from passkey where person_id = $1) as passkeys
     from person where id = $1`,
    [personId],
  );
  return rows[0] ?? { password: false, identities: 0, passkeys: 0 };
}

/** Whether a person who loses one of these could still sign in without a mail. */
export function isLastWayIn({ password, identities, passkeys }: WaysIn): boolean {
  return !password && identities + passkeys <= 1;
}
