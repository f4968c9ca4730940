import { z } from 'zod';

/** Who states fields of an object: a manager of server-side apply, an editor, a controller. */
export type Holder = {
  readonly manager: string;
  /** How it writes: Apply by server-side apply, Update by everything else (kubectl edit, client-side apply, …). */
  readonly operation: string;
  readonly since: string | undefined;
};

/** A field of the spec that somebody states, such as `budget.monthlyEur`; of a list that is a set, its items too. */
export type HeldField = { readonly path: string; readonly holders: readonly Holder[] };

/** The tree that Kubernetes keeps of a manager's fields: `f:name` is a field, `v:"text"` an item of a set, `.` the thing itself. */
type FieldTree = { readonly [step: string]: FieldTree };

const FieldTree: z.ZodType<FieldTree> = z.lazy(() => z.record(z.string(), FieldTree));
const Entry = z.object({
  manager: z.string().default(''),
  operation: z.string().default(''),
  time: z.string().optional(),
  subresource: z.string().optional(),
  fieldsV1: z.record(z.string(), FieldTree).optional(),
});
const FIELD = 'f:';
const ITEM = 'v:';

/** The part of an object that tells who holds what. */
export type Managed = { readonly metadata: { readonly [field: string]: unknown }; readonly [field: string]: unknown };

/** Every field of the spec that somebody holds, with all who do, in the order of the paths. */
export function heldFields(object: Managed): HeldField[] {
  const found = new Map<string, Holder[]>();
  for (const { holder, spec } of specEntries(object)) {
    for (const path of leaves(spec, '')) found.set(path, [...(found.get(path) ?? []), holder]);
  }
  return [...found].map(([path, holders]) => ({ path, holders })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The part of the spec that a manager of server-side apply states: what it must send again to keep it. */
export function statedBy(object: Managed, manager: string): Record<string, unknown> {
  // A manager has one entry per way of writing.
  const own = specEntries(object).find(({ holder }) => holder.manager === manager && holder.operation === 'Apply');
  return own === undefined ? {} : (extract(object.spec, own.spec) as Record<string, unknown>);
}

function specEntries(object: Managed): { holder: Holder; spec: FieldTree }[] {
  const entries = z.array(Entry).safeParse(object.metadata.managedFields ?? []);
  if (!entries.success) throw new Error('managedFields have an unexpected shape', { cause: entries.error });
  return entries.data.flatMap(({ manager, operation, time, subresource, fieldsV1 }) => {
    const spec = fieldsV1?.[`${FIELD}spec`];
    if (subresource !== undefined || spec === undefined) return [];
    return [{ holder: { manager, operation, since: time }, spec }];
  });
}

function leaves(tree: FieldTree, path: string): string[] {
  const fields = Object.entries(tree).filter(([step]) => step.startsWith(FIELD));
  if (fields.length === 0) return path === '' ? [] : [path];
  return fields.flatMap(([step, child]) => {
    const name = step.slice(FIELD.length);
    return leaves(child, path === '' ? name : `${path}.${name}`);
  });
}

/** The part of `value` that a tree names. */
function extract(value: unknown, tree: FieldTree): unknown {
  const steps = Object.keys(tree).filter((step) => step !== '.');
  if (Array.isArray(value) && steps.some((step) => step.startsWith(ITEM))) {
    const items = new Set(steps.filter((step) => step.startsWith(ITEM)).map((step) => step.slice(ITEM.length)));
    return value.filter((item) => items.has(JSON.stringify(item)));
  }
  if (steps.length === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const part: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(value)) {
    const below = tree[`${FIELD}${name}`];
    if (below !== undefined) part[name] = extract(child, below);
  }
  return part;
}
