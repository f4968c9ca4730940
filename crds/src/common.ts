import { z } from 'zod';
import { matching, text } from './schema.ts';

export const group = 'cloudfreedom.de';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}` as const;

/** Longest name that still fits where Kubernetes wants a DNS label. */
export const MAX_NAME_LENGTH = 63;

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const labelMessage = 'must be lower-case letters, digits and "-", beginning and ending with a letter or digit';

/** A DNS label: Tenant and Plan names, host names below the base domain, names of deployments. */
export const DnsLabel = matching(new RegExp(`^${label}$`), MAX_NAME_LENGTH, labelMessage).min(1);

/** A Model's name. Providers' names hold dots (`gemini-2.0-flash`), so it is DNS labels joined by dots, 63 in all. */
export const ModelName = matching(
  new RegExp(`^${label}(\\.${label})*$`),
  MAX_NAME_LENGTH,
  `${labelMessage}; dots may join such parts`,
).min(1);

/** The name of a Secret or a StorageClass: DNS labels joined by dots. */
export const ObjectName = matching(
  new RegExp(`^${label}(\\.${label})*$`),
  253,
  `${labelMessage}; dots may join such parts`,
).min(1);

/** A key inside a Secret. */
export const SecretKey = matching(/^[-._a-zA-Z0-9]+$/, 253, 'must be letters, digits, "-", "_" and "."').min(1);

/** CPU: `500m` or `2`, always a string. */
export const CpuQuantity = matching(
  /^([1-9][0-9]{0,5}m|[1-9][0-9]{0,2})$/,
  7,
  'must be a CPU quantity in quotes, such as "250m" or "2"',
);

/** Memory or storage with a binary unit: `512Mi`, `2Gi`. */
export const BytesQuantity = matching(
  /^[1-9][0-9]{0,5}(Mi|Gi|Ti)$/,
  8,
  'must be a size with a binary unit, such as "512Mi" or "2Gi"',
);

/** Where a Model's deployment processes data. */
export const Residency = z.enum(['eu', 'us', 'other']);
export type Residency = z.output<typeof Residency>;

export const ModelClass = z.enum(['mini', 'full', 'custom']);
export type ModelClass = z.output<typeof ModelClass>;

/** `metadata` as we need it; all else in it is Kubernetes' own business and is carried along. */
export function metadata<Name extends z.ZodType<string>>(name: Name) {
  return z.looseObject({
    name,
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    generation: z.number().optional(),
    creationTimestamp: z.string().optional(),
    deletionTimestamp: z.string().optional(),
    finalizers: z.array(z.string()).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  });
}

/** A condition in a status; what we write is the narrower `Condition` of conditions.ts. */
export const StatusCondition = z.object({
  type: text(1, 63).describe('What is judged, such as Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: text(1, 63).describe('One CamelCase word that says why.'),
  message: text(0, 4096).describe('One sentence for people: what is, and what to change when it is not well.'),
  observedGeneration: z.int().min(0).optional().describe('The metadata.generation that was judged.'),
  lastTransitionTime: z
    .string()
    .max(64)
    .meta({ format: 'date-time' })
    .optional()
    .describe('When the status last changed.'),
});

/** The conditions of a status, one per type. */
export const StatusConditions = z
  .array(StatusCondition)
  .max(32)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

/** The status of Plan and Model. */
export const SimpleStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe('The metadata.generation that this status speaks of.'),
  conditions: StatusConditions.optional().describe('Ready says whether the control plane took it over.'),
});
