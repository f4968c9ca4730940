import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import type { Vault } from '../crypto/vault.ts';
import type { MailLanguage } from './content.ts';
import { type FilledTemplate, TEMPLATES } from './templates/templates.ts';

/** Hours after which a mail that could not be sent is not sent any more; a link's own time may end sooner. */
export const DEFAULT_VALID_HOURS = 24;
/** What sealed mails are sealed for. */
const PURPOSE = 'mail';

export type OutgoingMail = FilledTemplate & {
  readonly to: string;
  readonly language: MailLanguage;
  /** When it is of no use any more, e.g. because its link has expired. */
  readonly expiresAt?: Date;
};

/** A mail whose text depends on whether the address is a person's. Null: none is sent then. */
export type MailByAddress = {
  readonly to: string;
  /** Of an unknown address; a person gets the mail in the own language. */
  readonly language: MailLanguage;
  readonly known: FilledTemplate | null;
  readonly unknown: FilledTemplate | null;
  readonly expiresAt?: Date;
};

const Filled = z.object({ template: z.enum(Object.keys(TEMPLATES) as [keyof typeof TEMPLATES]), data: z.unknown() });
const Envelope = z.object({
  to: z.string(),
  language: z.enum(['de', 'en']),
  known: Filled.nullable(),
  unknown: Filled.nullable(),
});
export type Envelope = z.output<typeof Envelope>;

/** Queues a mail in the caller's transaction: it is sent if, and only if, that is committed. @returns its id */
export function enqueueMail(client: pg.ClientBase, vault: Vault, mail: OutgoingMail): Promise<string> {
  const { to, language, template, data, expiresAt } = mail;
  const filled = { template, data } as FilledTemplate;
  return enqueue(client, vault, { to, language, known: filled, unknown: filled }, expiresAt);
}

/**
 * Queues a mail for an address somebody typed. Whether it is known is looked up when the mail is sent, not here: what
 * the caller waits for is the same work either way, so no clock tells who has an account.
 */
export function enqueueMailByAddress(client: pg.ClientBase, vault: Vault, mail: MailByAddress): Promise<string> {
  const { to, language, known, unknown, expiresAt } = mail;
  return enqueue(client, vault, { to, language, known, unknown }, expiresAt);
}

/** Reads what was queued. @throws when the row is not what this vault sealed */
export function openEnvelope(vault: Vault, id: string, sealed: Buffer): Envelope {
  return Envelope.parse(JSON.parse(vault.open(PURPOSE, sealed, id)));
}

async function enqueue(
  client: pg.ClientBase,
  vault: Vault,
  envelope: Envelope,
  expiresAt: Date | undefined,
): Promise<string> {
  // Wrong data is the caller's bug and shows here, where it was made, not hours later in the worker.
  for (const filled of [envelope.known, envelope.unknown]) {
    if (filled !== null) TEMPLATES[filled.template].data.parse(filled.data);
  }
  const id = randomUUID();
  await client.query(
    `insert into mail (id, sealed, expires_at)
     values ($1, $2, coalesce($3, clock_timestamp() + $4 * interval '1 hour'))`,
    [id, vault.seal(PURPOSE, JSON.stringify(envelope), id), expiresAt ?? null, DEFAULT_VALID_HOURS],
  );
  return id;
}
