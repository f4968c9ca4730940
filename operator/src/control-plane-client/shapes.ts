import { z } from 'zod';

const Amount = z.string().regex(/^-?[0-9]+$/);

/** What the control plane knows of a tenant: the body of `PUT /v1/tenants/{tenant}`. */
export const TenantRegistration = z.object({
  uid: z.string(),
  displayName: z.string(),
  /** Who is told of alerts. */
  owners: z.array(z.string()).default([]),
  plan: z.string(),
  language: z.enum(['de', 'en']),
  timeZone: z.string(),
  host: z.string(),
  /** Integer nano-euro as text. */
  monthlyBudgetNanoEur: Amount,
  /** What each user and each API key may spend; null: no limit. */
  memberBudgetNanoEur: Amount.nullable(),
  keyBudgetNanoEur: Amount.nullable(),
  maxMembers: z.number().nullable(),
  /** What each gateway may hold in advance; null: nothing. */
  lease: z.object({ amountNanoEur: Amount, seconds: z.number() }).nullable(),
  marginPercent: z.number(),
  models: z.array(z.string()),
  alertThresholdsPercent: z.array(z.number()),
  suspended: z.boolean(),
  gatewayCredentialSha256: z.string(),
  chatKeySha256: z.string(),
  /** The chat as a client of the OpenID provider. */
  oidc: z
    .object({ clientSecretSha256: z.string(), hosts: z.array(z.string()), backchannelLogoutUrl: z.string() })
    .nullable()
    .default(null),
});
export type TenantRegistration = z.output<typeof TenantRegistration>;

/** A tenant's budget in the current period, in integer nano-euro as text. */
export const Budget = z.object({
  grantedNanoEur: Amount,
  postedNanoEur: Amount,
  heldNanoEur: Amount,
  availableNanoEur: Amount,
  resetsAt: z.string(),
});
export type Budget = z.output<typeof Budget>;

/** Body of `PUT /v1/plans/{plan}`. */
export const PlanRegistration = z.object({
  displayName: z.string(),
  /** Null: by agreement. */
  pricePerMonthNanoEur: Amount.nullable().default(null),
  monthlyBudgetNanoEur: Amount.nullable(),
  maxMembers: z.number().nullable(),
  modelClasses: z.array(z.string()),
  marginPercent: z.number(),
  supportLevel: z.string().default('community'),
});
export type PlanRegistration = z.output<typeof PlanRegistration>;

const TokenPrices = z.object({
  inputUsdPerMillion: z.string(),
  cachedInputUsdPerMillion: z.string().optional(),
  cacheWriteUsdPerMillion: z.string().optional(),
  audioInputUsdPerMillion: z.string().optional(),
  outputUsdPerMillion: z.string(),
  audioOutputUsdPerMillion: z.string().optional(),
});

const Prices = TokenPrices.extend({
  imageUsd: z.string().optional(),
  longContext: TokenPrices.extend({ aboveTokens: z.number() }).optional(),
});

/** Body of `PUT /v1/models/{model}`. */
export const ModelRegistration = z.object({
  class: z.string(),
  mode: z.string(),
  free: z.boolean(),
  limits: z.object({ contextTokens: z.number(), maxOutputTokens: z.number() }),
  prices: Prices.nullable(),
  fallbacks: z.array(z.string()),
  replacedBy: z.string().nullable(),
  deployments: z.array(z.object({ name: z.string(), provider: z.string(), model: z.string(), residency: z.string() })),
});
export type ModelRegistration = z.output<typeof ModelRegistration>;

/** The part of `application/problem+json` that the operator passes on. */
export const Problem = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
