import { z } from 'zod';
import { NanoEur } from '../pricing/money.ts';

const Uuid = z.uuid();
const Counter = z.int().min(0);

/**
 * What a tenant's stream tells, with the fields of each besides `at`. One source for the filter, the description and the
 * tests; who appends an event of a new type adds it here.
 */
export const EVENT_TYPES = {
  'usage.posted': {
    description: 'What was used since the last event of this type, in sums; at most one a second',
    data: z.object({
      requests: Counter,
      inputTokens: Counter,
      outputTokens: Counter,
      postedNanoEur: NanoEur,
      overrunNanoEur: NanoEur,
    }),
  },
  'budget.changed': {
    description: 'How the budget stands after postings or grants; at most one a second',
    data: z.object({
      period: z.string(),
      grantedNanoEur: NanoEur,
      postedNanoEur: NanoEur,
      heldNanoEur: NanoEur,
      leasedNanoEur: NanoEur,
      availableNanoEur: NanoEur,
      overrunNanoEur: NanoEur,
      resetsAt: z.iso.datetime(),
    }),
  },
  'budget.threshold_reached': {
    description: 'A budget of the tenant, a user or a key reached one of its thresholds; once per month',
    data: z.object({
      alertId: Uuid,
      scope: z.enum(['tenant', 'user', 'key']),
      subjectId: Uuid.nullable(),
      period: z.string(),
      thresholdPercent: z.int(),
      spentNanoEur: NanoEur,
      budgetNanoEur: NanoEur,
    }),
  },
  'tenant.status_changed': {
    description: 'The tenant was opened, suspended, closed or changed its state in the cluster',
    data: z.looseObject({ status: z.string() }),
  },
  'member.joined': { description: 'Somebody became a member', data: z.looseObject({}) },
  'member.left': { description: 'A member left or was removed', data: z.looseObject({}) },
  'member.role_changed': { description: 'A member has another role', data: z.looseObject({}) },
  'key.created': { description: 'A key was made; never the key itself', data: z.looseObject({}) },
  'key.revoked': { description: 'A key was revoked', data: z.looseObject({}) },
  'audit.appended': { description: 'The audit log has a new entry', data: z.looseObject({}) },
} as const;

/** Types that one filter may list. */
const MAX_TYPES = 20;
const TYPE = /^[a-z_]+(\.[a-z_]+)+$|^[a-z_]+\.\*$/;

/** The query `types`: names, or families as in `member.*`, with commas between. Unknown ones are let through: they may come. */
export const TypesFilter = z
  .string()
  .max(500)
  .transform((text) => text.split(','))
  .pipe(
    z
      .array(z.string().regex(TYPE, 'must be types like "usage.posted" or "member.*", with commas between'))
      .max(MAX_TYPES),
  );

/** The filter as patterns of SQL's `like`. */
export function patternsOf(types: readonly string[]): string[] {
  // An underscore in a name means itself.
  return types.map((type) => type.replaceAll('_', '\\_').replace(/\*$/, '%'));
}

/** The types as Markdown, for the description of the stream. */
export function eventTypesText(): string {
  const lines = Object.entries(EVENT_TYPES).map(([type, { description, data }]) => {
    const fields = Object.keys(data.shape);
    return `- \`${type}\`: ${description}${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`;
  });
  return lines.join('\n');
}
