import { z } from 'zod';
import { DnsLabel } from '../../catalogue/registrations.ts';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';
import { Scopes } from '../../keys/scopes.ts';
import { NanoEur } from '../../pricing/money.ts';

export const KeyParams = z.strictObject({ tenant: DnsLabel, key: z.uuid() });

/** What a key is asked for with. */
export const KeyWishBody = z.strictObject({
  name: z.string().trim().min(1).max(100),
  scopes: Scopes.default(['chat']).meta({ description: 'What it may do; never more than you may' }),
  expiresAt: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'Absent: in a year. At most two years from now' }),
});

export const KeyView = z
  .object({
    id: z.uuid(),
    kind: z.enum(['api', 'chat']),
    name: z.string(),
    personId: z.uuid().nullable().meta({ description: 'Whose personal key it is; null: a service key' }),
    userId: z.uuid().nullable().meta({ description: 'The user whose monthly budget it uses' }),
    scopes: z.array(z.string()),
    prefix: z.string().nullable().meta({ description: 'How it begins' }),
    lastFour: z.string().nullable().meta({ description: 'How it ends' }),
    monthlyBudgetNanoEur: NanoEur.nullable().meta({
      description: 'A limit of the key’s own; null: the tenant’s default',
    }),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable().meta({ description: 'Up to a minute behind' }),
  })
  .meta({ id: 'Key', description: 'A key without its secret, which is not stored' });

export const IssuedKey = KeyView.extend({
  key: z.string().meta({ description: 'The secret. It is shown this once' }),
}).meta({ id: 'IssuedKey' });

const Row = z.object({
  id: z.uuid(),
  kind: z.enum(['api', 'chat']),
  name: z.string(),
  person_id: z.uuid().nullable(),
  member_id: z.uuid().nullable(),
  scopes: z.array(z.string()),
  prefix: z.string().nullable(),
  last_four: z.string().nullable(),
  monthly_budget: z.bigint().nullable(),
  created_at: z.date(),
  expires_at: z.date().nullable(),
  revoked_at: z.date().nullable(),
  last_used_at: z.date().nullable(),
});

export function keyView(row: unknown): z.input<typeof KeyView> {
  const key = Row.parse(row);
  return {
    id: key.id,
    kind: key.kind,
    name: key.name,
    personId: key.person_id,
    userId: key.member_id,
    scopes: key.scopes,
    prefix: key.prefix,
    lastFour: key.last_four,
    monthlyBudgetNanoEur: key.monthly_budget?.toString() ?? null,
    createdAt: key.created_at.toISOString(),
    expiresAt: key.expires_at?.toISOString() ?? null,
    revokedAt: key.revoked_at?.toISOString() ?? null,
    lastUsedAt: key.last_used_at?.toISOString() ?? null,
  };
}

/** The refusal of a field that has the right form and a wrong value. */
export function wrongField(path: string, message: string): Answer {
  const body = problem(422, 'invalid_input', `${path}: ${message}`, { errors: [{ path, message }] });
  return { status: 422, body };
}

export function keyUnknown(): Answer {
  return { status: 404, body: problem(404, 'key_unknown', 'this tenant has no API key with this id') };
}
