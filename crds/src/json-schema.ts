import { z } from 'zod';

/** The part of JSON schema that our kinds use. */
export interface JsonSchema {
  type?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: unknown;
  required?: string[];
  items?: JsonSchema;
  default?: unknown;
  [keyword: string]: unknown;
}

const made = new WeakMap<z.ZodType, JsonSchema>();

/** The schema of what people write (defaults not required), in the dialect of Kubernetes. Made once per schema. */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  const before = made.get(schema);
  if (before) return before;
  const fresh = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as JsonSchema;
  made.set(schema, fresh);
  return fresh;
}
