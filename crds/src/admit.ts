import type { z } from 'zod';
import { type JsonSchema, jsonSchema } from './json-schema.ts';

/** What the API server makes of an object before it judges it. */
export interface Admitted {
  value: unknown;
  /** Paths of fields that the schema does not know, such as `spec.colour`. */
  unknownFields: string[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Drops null values of known fields (the API server reads `plan: null` as absent) and lists the unknown fields. It
 * walks the same JSON schema that the CustomResourceDefinition carries, so the two cannot drift apart.
 */
export function admit(schema: z.ZodType, value: unknown): Admitted {
  const unknownFields: string[] = [];
  const walk = (node: JsonSchema, current: unknown, path: string): unknown => {
    if (Array.isArray(current) && node.items) {
      const items = node.items;
      return current.map((item, index) => walk(items, item, `${path}[${index}]`));
    }
    if (!isObject(current) || !node.properties) return current;
    const kept: Record<string, unknown> = {};
    for (const [name, child] of Object.entries(current)) {
      const at = path === '' ? name : `${path}.${name}`;
      const known = Object.hasOwn(node.properties, name) ? node.properties[name] : undefined;
      if (known === undefined) {
        if (node.additionalProperties !== undefined) kept[name] = child;
        else unknownFields.push(at);
      } else if (child !== null) {
        kept[name] = walk(known, child, at);
      }
    }
    return kept;
  };
  return { value: walk(jsonSchema(schema), value, ''), unknownFields };
}
