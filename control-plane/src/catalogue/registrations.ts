import { z } from 'zod';
import { SettableNanoEur } from '../pricing/money.ts';
import { ModelPrices } from '../pricing/price.ts';

/** Models a model may fall back to, deployments it may have, models a tenant may use. */
const MAX_FALLBACKS = 5;
const MAX_DEPLOYMENTS = 10;
const MAX_TENANT_MODELS = 500;
/** As many as a Tenant's owners may be. */
const MAX_OWNERS = 10;
const MAX_TOKENS = 100_000_000;
const MAX_LEASE_SECONDS = 3_600;
/** Host names that may lead to one chat: its own and the customer's. */
const MAX_HOSTS = 50;

export const DnsLabel = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a DNS label: a-z, 0-9 and -, at most 63 characters');
export const ModelName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be a model name: a-z, 0-9, . and -, at most 63 characters');
export const Sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha-256 in lower-case hex');
const HostName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/, 'must be a host name in lower case');
const ModelClass = z.enum(['mini', 'full', 'custom']);
const Text = z.string().min(1).max(253);

/** A model as the operator registers it. `prices` null and not free: registered, but every request is refused. */
export const ModelRegistration = z
  .strictObject({
    class: ModelClass,
    mode: z.enum(['chat', 'embedding', 'image']),
    free: z.boolean(),
    limits: z.strictObject({
      contextTokens: z.int().min(1).max(MAX_TOKENS),
      maxOutputTokens: z.int().min(0).max(MAX_TOKENS),
    }),
    prices: ModelPrices.nullable(),
    fallbacks: z.array(ModelName).max(MAX_FALLBACKS),
    replacedBy: ModelName.nullable(),
    deployments: z
      .array(z.strictObject({ name: Text, provider: Text, model: Text, residency: Text }))
      .max(MAX_DEPLOYMENTS),
  })
  .meta({ id: 'ModelRegistration' });
export type ModelRegistration = z.output<typeof ModelRegistration>;

export const PlanRegistration = z
  .strictObject({
    displayName: z.string().min(1).max(80),
    pricePerMonthNanoEur: SettableNanoEur.nullable()
      .default(null)
      .meta({ description: 'null: by agreement, which only the platform’s administration gives' }),
    monthlyBudgetNanoEur: SettableNanoEur.nullable(),
    maxMembers: z.int().min(1).nullable(),
    modelClasses: z.array(ModelClass),
    marginPercent: z.int().min(0).max(100),
    supportLevel: z.enum(['community', 'business', 'sla']).default('community'),
  })
  .meta({ id: 'PlanRegistration' });
export type PlanRegistration = z.output<typeof PlanRegistration>;

export const TenantRegistration = z
  .strictObject({
    uid: Text,
    displayName: z.string().min(1).max(80),
    owners: z.array(z.email().max(254)).max(MAX_OWNERS).default([]).meta({ description: 'Who is told of alerts' }),
    plan: DnsLabel,
    language: z.enum(['de', 'en']),
    timeZone: z.string().max(64).refine(isTimeZone, 'must be an IANA time zone like "Europe/Berlin"'),
    host: z.string().min(1).max(253),
    monthlyBudgetNanoEur: SettableNanoEur,
    memberBudgetNanoEur: SettableNanoEur.nullable()
      .default(null)
      .meta({ description: 'What each user may spend in a month, unless told otherwise; null: no limit of their own' }),
    keyBudgetNanoEur: SettableNanoEur.nullable()
      .default(null)
      .meta({ description: 'The same for each API key; the chat’s own key has no limit' }),
    maxMembers: z.int().min(1).nullable().default(null).meta({ description: 'Seats; null: any number' }),
    lease: z
      .strictObject({ amountNanoEur: SettableNanoEur, seconds: z.int().min(60).max(MAX_LEASE_SECONDS) })
      .nullable()
      .default(null)
      .meta({ description: 'What each gateway may hold in advance, and for how long it may spend from it unasked' }),
    marginPercent: z.int().min(0).max(100),
    models: z.array(ModelName).max(MAX_TENANT_MODELS),
    alertThresholdsPercent: z.array(z.int().min(1).max(100)).max(10),
    suspended: z.boolean(),
    auditRetentionDays: z
      .int()
      .min(30)
      .max(3_650)
      .default(365)
      .meta({ description: 'Days that the tenant’s audit is kept' }),
    gatewayCredentialSha256: Sha256Hex,
    chatKeySha256: Sha256Hex,
    oidc: z
      .strictObject({
        clientSecretSha256: Sha256Hex,
        hosts: z.array(HostName).min(1).max(MAX_HOSTS).meta({ description: 'Where the chat takes codes back' }),
        backchannelLogoutUrl: z
          .url({ protocol: /^https?$/ })
          .max(2048)
          .meta({ description: 'Where the chat is told who has signed out' }),
      })
      .nullable()
      .default(null)
      .meta({ description: 'The chat as a client of the OpenID provider; null: nobody signs in to it' }),
  })
  .meta({ id: 'TenantRegistration' });
export type TenantRegistration = z.output<typeof TenantRegistration>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    // Offsets like "+01:00" are time zones to Intl, but know no summer time and no name in the database.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
