import type pg from 'pg';
import { z } from 'zod';

const Row = z.object({ version: z.string(), accepted_at: z.date() });

/** A version of the terms that a person accepted. */
export type Consent = { readonly version: string; readonly acceptedAt: Date };

/** Records that a person accepted a version; the first time counts. */
export async function recordConsent(
  client: pg.Pool | pg.PoolClient,
  person: string,
  version: string,
  address: string | undefined,
): Promise<Consent> {
  await client.query(
    `insert into terms_acceptance (person_id, version, address) values ($1, $2, $3) on conflict do nothing`,
    [person, version, address ?? null],
  );
  const { rows } = await client.query(
    'select version, accepted_at from terms_acceptance where person_id = $1 and version = $2',
    [person, version],
  );
  return consent(rows[0]);
}

/** What a person accepted, the newest first. */
export async function consentsOf(client: pg.Pool | pg.PoolClient, person: string): Promise<Consent[]> {
  const { rows } = await client.query(
    'select version, accepted_at from terms_acceptance where person_id = $1 order by accepted_at desc',
    [person],
  );
  return rows.map(consent);
}

function consent(row: unknown): Consent {
  const { version, accepted_at } = Row.parse(row);
  return { version, acceptedAt: accepted_at };
}
