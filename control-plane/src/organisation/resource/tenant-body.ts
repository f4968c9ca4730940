import { z } from 'zod';
import { DnsLabel, ModelName } from '../../catalogue/registrations.ts';

/*
 * What the portal says of a tenant. The rules of each field are the CustomResourceDefinition's, which judges the whole
 * once more; here are shapes, and limits that keep a body small.
 */

const MAX_MODELS = 100;
const MAX_THRESHOLDS = 10;
const DisplayName = z.string().trim().min(1).max(80);
const Language = z.enum(['de', 'en']);
const Models = z.array(ModelName).min(1).max(MAX_MODELS);
const Euro = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$/, 'must be an amount in euro such as "25.00"')
  .meta({ example: '25.00' });

/** A tenant that somebody wishes. */
export const TenantWish = z
  .strictObject({
    name: DnsLabel,
    displayName: DisplayName,
    plan: DnsLabel,
    language: Language,
    models: Models.optional().meta({ description: 'Absent: every model of the plan' }),
    hostname: DnsLabel.optional().meta({ description: 'First label of the chat’s host name; absent: the name' }),
  })
  .meta({ id: 'TenantWish' });
export type TenantWish = z.output<typeof TenantWish>;

/** What is to change; null takes a value back, so that the default holds again. */
export const TenantChange = z
  .strictObject({
    displayName: DisplayName.optional(),
    plan: DnsLabel.optional(),
    hostname: DnsLabel.nullable().optional(),
    language: Language.nullable().optional(),
    timeZone: z.string().min(1).max(64).nullable().optional(),
    models: Models.nullable().optional(),
    dataResidency: z.enum(['any', 'eu', 'us']).nullable().optional(),
    budget: z
      .strictObject({
        monthlyEur: Euro.nullable().optional(),
        memberMonthlyEur: Euro.nullable().optional(),
        keyMonthlyEur: Euro.nullable().optional(),
        alertThresholdsPercent: z.array(z.int().min(1).max(100)).max(MAX_THRESHOLDS).nullable().optional(),
      })
      .optional(),
    branding: z
      .strictObject({
        title: z.string().min(1).max(60).nullable().optional(),
        bannerText: z.string().min(1).max(500).nullable().optional(),
      })
      .optional(),
    suspended: z.boolean().nullable().optional(),
    deletionPolicy: z.enum(['Retain', 'Snapshot', 'Delete']).nullable().optional(),
  })
  .meta({ id: 'TenantChange' });
export type TenantChange = z.output<typeof TenantChange>;
