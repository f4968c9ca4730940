import { z } from 'zod';

/** One rule of `x-kubernetes-validations`, as the API server reads it. */
export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
}

/** A rule said twice: `cel` for the API server, `holds` for us. The tests demand that the two always agree. */
export interface Rule<Value> {
  cel: string;
  message: string;
  holds: (value: Value) => boolean;
  /** The field the error points at, relative to the schema the rule hangs on, e.g. `['prices']`. */
  path?: string[];
}

const celKey = 'x-kubernetes-validations';

/** Adds one CEL rule to the schema's metadata, after those it has. */
export function withCel<S extends z.ZodType>(schema: S, rule: CelRule): S {
  const before = (schema.meta()?.[celKey] ?? []) as CelRule[];
  return schema.meta({ ...schema.meta(), [celKey]: [...before, rule] }) as S;
}

/** Adds one rule to both judges. */
export function withRule<S extends z.ZodType>(schema: S, { cel, message, holds, path }: Rule<z.output<S>>): S {
  const refined = schema.refine(holds, { message, ...(path ? { path } : {}) }) as S;
  const fieldPath = path ? { fieldPath: path.map((name) => `.${name}`).join('') } : {};
  return withCel(refined, { rule: cel, message, ...fieldPath });
}

/** A string of `min` to `max` characters; counted in code points, as the API server does, not in UTF-16 units. */
export function text(min: number, max: number) {
  return z
    .string()
    .refine((value) => {
      const length = [...value].length;
      return length >= min && length <= max;
    }, `must be ${min} to ${max} characters long`)
    .meta({ minLength: min, maxLength: max });
}

/** A string of at most `max` ASCII characters that matches `pattern`; `message` says what a good one looks like. */
export function matching(pattern: RegExp, max: number, message: string) {
  return z.string().max(max, `must be at most ${max} characters long`).regex(pattern, message);
}

/** A list without duplicates that several writers may share (server-side apply merges it item by item). */
export function setOf<S extends z.ZodType<string | number>>(item: S, min: number, max: number) {
  return z
    .array(item)
    .min(min)
    .max(max)
    .refine((items) => new Set(items).size === items.length, 'must not name the same item twice (duplicate)')
    .meta({ 'x-kubernetes-list-type': 'set' });
}

/** A list without duplicates whose order matters; one writer owns it whole. */
export function orderedSetOf<S extends z.ZodType<string>>(item: S, max: number) {
  return withRule(z.array(item).max(max).meta({ 'x-kubernetes-list-type': 'atomic' }), {
    cel: 'self.all(item, self.exists_one(other, other == item))',
    message: 'must not name the same item twice (duplicate)',
    holds: (items) => new Set(items).size === items.length,
  });
}
