import type pg from 'pg';
import { z } from 'zod';
import { adoptOwnerships } from '../../organisation/ownerships.ts';

const Row = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    language: z.enum(['de', 'en']),
    password_hash: z.string().nullable(),
    platform_admin: z.boolean(),
    active: z.boolean(),
    created_at: z.date(),
  })
  .transform(({ password_hash, platform_admin, created_at, ...row }) => ({
    ...row,
    passwordHash: password_hash,
    platformAdmin: platform_admin,
    createdAt: created_at,
  }));
/** A person as their account's own operations need them. Holds the password's hash: it goes into no answer. */
export type PersonRecord = z.output<typeof Row>;

const COLUMNS = `id, email, name, language, password_hash, platform_admin, state = 'active' as active, created_at`;

/** Whoever has this address; upper and lower case are the same. */
export async function personOfEmail(client: pg.ClientBase | pg.Pool, email: string): Promise<PersonRecord | undefined> {
  const text = `select ${COLUMNS} from person where lower(email) = lower($1) and state <> 'erased'`;
  const { rows } = await client.query(text, [email]);
  return rows[0] === undefined ? undefined : Row.parse(rows[0]);
}

export async function personOfId(client: pg.ClientBase | pg.Pool, id: string): Promise<PersonRecord | undefined> {
  const { rows } = await client.query(`select ${COLUMNS} from person where id = $1 and state <> 'erased'`, [id]);
  return rows[0] === undefined ? undefined : Row.parse(rows[0]);
}

export type NewPerson = {
  /** Confirmed: by a mail that was answered, or by a provider that vouches for it. */
  readonly email: string;
  readonly name: string;
  readonly language: 'de' | 'en';
  readonly passwordHash: string | null;
  /** The version of the terms they accepted. */
  readonly termsVersion: string;
  /** When they did, where that was before now. */
  readonly termsAcceptedAt?: Date;
};

/**
 * Makes a person of somebody whose address is confirmed. The only place that does.
 * @returns undefined when somebody has the address already
 */
export async function createPerson(
  client: pg.ClientBase,
  platformAdmins: readonly string[],
  { email, name, language, passwordHash, termsVersion, termsAcceptedAt }: NewPerson,
): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>(
    `insert into person (email, name, language, password_hash, email_verified_at, platform_admin)
     values ($1, $2, $3, $4, clock_timestamp(), lower($1) = any ($5))
     on conflict (lower(email)) where state <> 'erased' do nothing returning id`,
    [email, name, language, passwordHash, platformAdmins],
  );
  const id = rows[0]?.id;
  if (id === undefined) return undefined;
  await client.query(
    `insert into terms_acceptance (person_id, version, accepted_at) values ($1, $2, coalesce($3, clock_timestamp()))`,
    [id, termsVersion, termsAcceptedAt ?? null],
  );
  // Whoever else claimed this address did not confirm it first.
  await client.query('delete from registration where lower(email) = lower($1)', [email]);
  await adoptOwnerships(client, id);
  return id;
}

/**
 * Makes platform admins of the people whose confirmed addresses the configuration names. It takes nobody's rights away:
 * an address left out by mistake must not lock the last admin out.
 * @param addresses in lower case
 */
export async function appointPlatformAdmins(
  client: pg.ClientBase | pg.Pool,
  addresses: readonly string[],
): Promise<void> {
  if (addresses.length === 0) return;
  await client.query(
    `update person set platform_admin = true, changed_at = now()
     where lower(email) = any ($1) and email_verified_at is not null and state = 'active' and not platform_admin`,
    [addresses],
  );
}
