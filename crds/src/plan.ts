import { z } from 'zod';
import { apiVersion, BytesQuantity, CpuQuantity, DnsLabel, ModelClass, metadata, SimpleStatus } from './common.ts';
import { Euro } from './money.ts';
import { type Parsed, parseObject } from './parse.ts';
import { RateLimits } from './rate-limits.ts';
import { setOf, text, withRule } from './schema.ts';

/** What a tenant buys. */
export const PlanSpec = z.object({
  displayName: text(1, 80).describe('Name that people read.'),
  pricePerMonthEur: Euro.optional().describe('Price per month in euro. Absent: by agreement.'),
  monthlyBudgetEur: Euro.optional().describe(
    'Euro per month that a tenant may spend on models, provider cost and margin together. Absent: each Tenant states spec.budget.monthlyEur.',
  ),
  maxMembers: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('People who may belong to a tenant. Absent: any number.'),
  modelClasses: setOf(ModelClass, 1, 3).describe('Classes of Models that the plan includes.'),
  marginPercent: z
    .int()
    .min(0)
    .max(100)
    .default(20)
    .describe('Added to the provider cost of every request, in percent.'),
  lease: z
    .object({
      amountEur: Euro.describe('Euro that each gateway may hold; never more than a tenth of what is available.'),
      minutes: z.int().min(1).max(60).describe('How long a gateway goes on while the control plane is away.'),
    })
    .optional()
    .describe(
      'A slice of the budget that each gateway holds in advance, so that chats go on while the control plane is away. Absent: none.',
    ),
  rateLimits: RateLimits.optional().describe(
    'What may pass the gateway of each tenant in a minute. Absent: no limits.',
  ),
  supportLevel: z
    .enum(['community', 'business', 'sla'])
    .default('community')
    .describe('Support that belongs to the plan.'),
  quota: z
    .object({
      cpu: CpuQuantity.optional().describe('Sum of CPU limits.'),
      memory: BytesQuantity.optional().describe('Sum of memory limits.'),
      storage: BytesQuantity.optional().describe('Sum of volume sizes.'),
      pods: z
        .int()
        .min(6)
        .max(200)
        .optional()
        .describe('Number of pods; six is what one of everything and a backup need.'),
    })
    .optional()
    .describe("Quota of the tenant's namespace. What is absent takes the platform's defaults."),
});
export type PlanSpec = z.output<typeof PlanSpec>;
export type PlanSpecInput = z.input<typeof PlanSpec>;
export type PlanStatus = z.output<typeof SimpleStatus>;

/** A plan: what a tenant may spend and use, and what it costs per month. */
export const Plan = withRule(
  z.object({
    apiVersion: z.literal(apiVersion),
    kind: z.literal('Plan'),
    metadata: metadata(DnsLabel),
    spec: PlanSpec,
    status: SimpleStatus.optional(),
  }),
  {
    cel: "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    message: 'metadata.name must be a DNS label: at most 63 lower-case letters, digits and "-"',
    holds: () => true, // zod judges the name where it stands
  },
);
export type Plan = z.output<typeof Plan>;

/** Parses a Plan as `kubectl apply` would judge it: unknown fields are refused, defaults filled in. */
export function parsePlan(value: unknown): Parsed<Plan> {
  return parseObject(Plan, value, { unknownFields: 'refuse' });
}

/** Parses a Plan that the API server stored; fields of a newer version are passed over. */
export function readPlan(value: unknown): Parsed<Plan> {
  return parseObject(Plan, value, { unknownFields: 'ignore' });
}
