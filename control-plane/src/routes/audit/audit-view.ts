import { z } from 'zod';
import { isPersonalKind } from '../../audit/entry.ts';
import { ERASED, resolve } from '../../audit/personal.ts';
import type { EntryWithPersonal } from '../../audit/read.ts';

const MAX_FILTER_LENGTH = 512;
const Filter = z.string().min(1).max(MAX_FILTER_LENGTH).optional();

/** What a reader may ask for; what is left out restricts nothing. */
export const AuditFilterFields = {
  action: Filter.meta({ description: 'Only entries of this action' }),
  actorId: Filter.meta({ description: 'Only what this person, key or Kubernetes manager did' }),
  targetId: Filter.meta({ description: 'Only what was done to this' }),
  from: z.iso.datetime({ offset: true }).optional().meta({ description: 'Not before this instant' }),
  to: z.iso.datetime({ offset: true }).optional().meta({ description: 'Before this instant' }),
};

/** The filter as the reading side takes it. */
export function readFilter(query: {
  action?: string | undefined;
  actorId?: string | undefined;
  targetId?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}) {
  const instant = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  return { ...query, from: instant(query.from), to: instant(query.to) };
}

export const AuditEntryView = z
  .object({
    sequence: z.int().meta({ description: 'Number in its chain, without gaps' }),
    at: z.iso.datetime(),
    actor: z.object({
      kind: z.enum(['person', 'key', 'service', 'admin', 'operator', 'kubernetes', 'system', 'anonymous']),
      id: z.string().nullable(),
      name: z.string().nullable().meta({ description: 'As it was then' }),
    }),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    action: z.string(),
    target: z.object({ kind: z.string().nullable(), id: z.string().nullable() }),
    before: z.unknown().meta({ description: 'What was; where something changed, only what differs' }),
    after: z.unknown(),
    requestId: z.string().nullable(),
    hash: z.string().meta({ description: 'sha-256 over the entry and the hash before it' }),
  })
  .meta({
    id: 'AuditEntry',
    description:
      'Who did what, when and from where. "[redacted]" stands for a secret, "[erased]" for a forgotten person',
  });
export type AuditEntryView = z.input<typeof AuditEntryView>;

const About = z.object({
  name: z.string().nullable(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
});
const ABOUT_ERASED = { name: ERASED, address: null, userAgent: null };
const ABOUT_NOBODY = { name: null, address: null, userAgent: null };
const Kind = AuditEntryView.shape.actor.shape.kind;

/** An entry for readers, with the personal values that are still there. */
export function auditEntryView({ entry, personal }: EntryWithPersonal): AuditEntryView {
  const values = new Map(personal.map(({ place, value }) => [place, value]));
  const about = aboutOf(entry.actor, values);
  const text = (stored: string | null) => (stored === null ? null : String(resolve(stored, values)));
  const document = (stored: string | null) => {
    if (stored === null) return null;
    const resolved = resolve(JSON.parse(stored), values);
    // Of somebody the whole document was set apart, as a text.
    const whole = isPersonalKind(entry.target_kind) && typeof resolved === 'string' && resolved !== ERASED;
    return whole ? JSON.parse(resolved) : resolved;
  };
  return {
    sequence: Number(entry.sequence),
    at: entry.at,
    actor: { kind: Kind.parse(entry.actor_kind), id: text(entry.actor_id), name: about.name },
    address: about.address,
    userAgent: about.userAgent,
    action: entry.action,
    target: { kind: entry.target_kind, id: text(entry.target_id) },
    before: document(entry.before),
    after: document(entry.after),
    requestId: entry.request_id,
    hash: entry.hash.toString('hex'),
  };
}

function aboutOf(reference: string | null, values: ReadonlyMap<number, string | null>) {
  if (reference === null) return ABOUT_NOBODY;
  const resolved = resolve(reference, values);
  return typeof resolved !== 'string' || resolved === ERASED ? ABOUT_ERASED : About.parse(JSON.parse(resolved));
}
