import { z } from 'zod';
import {
  apiVersion,
  DnsLabel,
  ModelClass,
  ModelName,
  metadata,
  ObjectName,
  Residency,
  SecretKey,
  SimpleStatus,
} from './common.ts';
import { isZero, Prices } from './money.ts';
import { type Parsed, parseObject } from './parse.ts';
import { matching, orderedSetOf, text, withRule } from './schema.ts';

export const Provider = z.enum(['openai', 'anthropic', 'gemini']);
export type Provider = z.output<typeof Provider>;

export const ModelMode = z.enum(['chat', 'embedding', 'image']);
export type ModelMode = z.output<typeof ModelMode>;

const apiBase = matching(
  /^https?:\/\/[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?(\/[A-Za-z0-9._~/-]*)?$/,
  512,
  'must be an http or https URL without credentials or query, such as "https://eu.api.example.org/v1"',
);

/** One place where a Model is served. Several share the load. */
export const ModelDeployment = z.object({
  name: DnsLabel.describe('Name, unique within the Model.'),
  provider: Provider.describe('Whose wire format the endpoint speaks.'),
  model: matching(/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/, 128, 'must be the name that the provider gives the model')
    .min(1)
    .describe("The provider's name for the model."),
  apiBase: apiBase.optional().describe("Base URL of the endpoint. Absent: the provider's own."),
  residency: Residency.describe('Where this deployment processes data.'),
  weight: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe('Share of the load against the other deployments. Absent: equal shares.'),
  apiKeySecret: z
    .object({
      name: ObjectName.describe('Name of a Secret in the platform namespace.'),
      key: SecretKey.default('api-key').describe('Key inside it.'),
    })
    .describe("Where the provider's API key lies."),
});
export type ModelDeployment = z.output<typeof ModelDeployment>;

const deployments = z
  .array(ModelDeployment)
  .min(1)
  .max(10)
  .refine(
    (all) => new Set(all.map(({ name }) => name)).size === all.length,
    'two deployments have the same name (duplicate)',
  )
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

const specFields = z.object({
  displayName: text(1, 80).optional().describe('Name shown in the chat. Absent: the name of the Model.'),
  class: ModelClass.describe('Which Plans include it.'),
  mode: ModelMode.default('chat').describe('What it does.'),
  fallbacks: orderedSetOf(ModelName, 5)
    .default([])
    .describe('Names of Models that answer, in this order, when this one fails. A hold covers the dearest of them.'),
  free: z.boolean().default(false).describe('True: requests cost nothing. It must then carry no prices.'),
  replacedBy: ModelName.optional().describe('Name of the Model to move to, where the provider has retired this one.'),
  limits: z
    .object({
      contextTokens: z
        .int()
        .min(1)
        .max(100_000_000)
        .describe('Tokens that a request and its answer may have together.'),
      maxOutputTokens: z
        .int()
        .min(0)
        .max(10_000_000)
        .describe('Tokens that one answer may have; 0 where it gives none.'),
    })
    .describe('Limits of the model, from which upper bounds of cost are made.'),
  prices: Prices.optional().describe(
    'What the provider charges. Absent: what the platform knows of the dearest deployment; requests are refused where it knows nothing.',
  ),
  deployments: deployments.describe('Where it is served.'),
});

const withPrices = withRule(specFields, {
  cel: '!(self.free && has(self.prices))',
  message: 'a Model has either prices or free: true, never both',
  holds: (spec) => !(spec.free && spec.prices !== undefined),
  path: ['prices'],
});

const withRealPrices = withRule(withPrices, {
  cel: "!has(self.prices) || has(self.prices.imageUsd) || !self.prices.inputUsdPerMillion.matches('^[0.]*$') || !self.prices.outputUsdPerMillion.matches('^[0.]*$')",
  message: 'prices must not all be zero: say free: true instead',
  holds: ({ prices }) =>
    prices === undefined ||
    prices.imageUsd !== undefined ||
    !isZero(prices.inputUsdPerMillion) ||
    !isZero(prices.outputUsdPerMillion),
  path: ['prices'],
});

const withImagePrice = withRule(withRealPrices, {
  cel: "self.mode != 'image' || !has(self.prices) || has(self.prices.imageUsd)",
  message: 'prices of a Model of mode image need imageUsd',
  holds: ({ mode, prices }) => mode !== 'image' || prices === undefined || prices.imageUsd !== undefined,
  path: ['prices'],
});

/** A model that people can choose, and everything that is needed to route to it and to price it. */
export const ModelSpec = withRule(withImagePrice, {
  cel: "self.mode == 'chat' ? self.limits.maxOutputTokens >= 1 && self.limits.maxOutputTokens <= self.limits.contextTokens : self.limits.maxOutputTokens <= self.limits.contextTokens",
  message: 'maxOutputTokens must be at most contextTokens, and at least 1 for a chat model',
  holds: ({ mode, limits }) =>
    limits.maxOutputTokens <= limits.contextTokens && (mode !== 'chat' || limits.maxOutputTokens >= 1),
  path: ['limits'],
});
export type ModelSpec = z.output<typeof ModelSpec>;
export type ModelSpecInput = z.input<typeof ModelSpec>;
export type ModelStatus = z.output<typeof SimpleStatus>;

const modelObject = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('Model'),
  metadata: metadata(ModelName),
  spec: ModelSpec,
  status: SimpleStatus.optional(),
});

/** A model under its public name. */
export const Model = withRule(
  withRule(modelObject, {
    cel: 'self.metadata.name.size() <= 63',
    message: 'metadata.name must be at most 63 characters long',
    holds: () => true, // zod judges the name where it stands
  }),
  {
    cel: '!(self.metadata.name in self.spec.fallbacks) && (!has(self.spec.replacedBy) || self.spec.replacedBy != self.metadata.name)',
    message: 'a Model can be neither its own fallback nor its own replacement',
    holds: ({ metadata: { name }, spec }) => !spec.fallbacks.includes(name) && spec.replacedBy !== name,
  },
);
export type Model = z.output<typeof Model>;

/** Parses a Model as `kubectl apply` would judge it: unknown fields are refused, defaults filled in. */
export function parseModel(value: unknown): Parsed<Model> {
  return parseObject(Model, value, { unknownFields: 'refuse' });
}

/** Parses a Model that the API server stored; fields of a newer version are passed over. */
export function readModel(value: unknown): Parsed<Model> {
  return parseObject(Model, value, { unknownFields: 'ignore' });
}
