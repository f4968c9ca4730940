import type pg from 'pg';

/** A person whose address is verified, straight through SQL. */
export async function newPerson(
  pool: pg.Pool,
  email: string,
  name = 'Person',
): Promise<{ id: string; email: string; name: string }> {
  const { rows } = await pool.query<{ id: string }>(
    'insert into person (email, name, email_verified_at) values ($1, $2, now()) returning id',
    [email, name],
  );
  if (rows[0] === undefined) throw new Error('the person was not stored');
  return { id: rows[0].id, email, name };
}
