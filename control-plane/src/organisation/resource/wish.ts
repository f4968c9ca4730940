import { isDeepStrictEqual } from 'node:util';
import { type Holder, heldFields, type Managed, statedBy } from './held-fields.ts';
import { PORTAL_MANAGER } from './portal-fields.ts';

/** A change by field: `budget.monthlyEur` to a value, or to null, which takes it back. */
export type Change = ReadonlyMap<string, unknown>;

/** A field that somebody else holds. */
export type Conflict = { readonly field: string; readonly manager: string; readonly since: string | undefined };

/** What is applied under our name, and what the whole spec is then. */
export type Wish = {
  readonly stated: Record<string, unknown>;
  readonly spec: Record<string, unknown>;
  /**
   * To be applied before: server-side apply takes away only what its manager held. The items of a set that came from a
   * default are nobody's, so we take hold of them first, to let go of them then.
   */
  readonly claim: Record<string, unknown> | undefined;
};

/**
 * Which of the wished fields somebody else holds. The API server would tell of most, but not of lists that are sets: to
 * those everybody may add, and nobody can take away what another added.
 */
export function conflictsOf(live: Managed, change: Change): Conflict[] {
  const held = new Map(heldFields(live).map(({ path, holders }) => [path, holders]));
  return [...change.keys()].flatMap((field) => {
    const other = otherHolder(held.get(field) ?? []);
    return other === undefined ? [] : [{ field, manager: other.manager, since: other.since }];
  });
}

/** Who holds a field besides us; undefined when nobody does. */
export function otherHolder(holders: readonly Holder[]): Holder | undefined {
  return holders.find(({ manager, operation }) => manager !== PORTAL_MANAGER || operation !== 'Apply');
}

/** What we state already, with the change; and the spec that comes of it. */
export function changedWish(live: Managed, change: Change): Wish {
  const stated = statedBy(live, PORTAL_MANAGER);
  const claim = structuredClone(stated);
  const spec = structuredClone(live.spec ?? {}) as Record<string, unknown>;
  let claims = false;
  for (const [path, value] of change) {
    const steps = path.split('.');
    const before = at(spec, steps);
    if (Array.isArray(before) && !isDeepStrictEqual(before, at(stated, steps))) {
      set(claim, steps, before);
      claims = true;
    }
    set(stated, steps, value);
    set(spec, steps, value);
  }
  return { stated, spec, claim: claims ? claim : undefined };
}

/** A change as it comes in a body, `{budget: {monthlyEur: '5'}}`, by field. */
export function changeOf(body: Readonly<Record<string, unknown>>, path = ''): Map<string, unknown> {
  const change = new Map<string, unknown>();
  for (const [name, value] of Object.entries(body)) {
    const at = path === '' ? name : `${path}.${name}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [field, inner] of changeOf(value as Record<string, unknown>, at)) change.set(field, inner);
    } else if (value !== undefined) change.set(at, value);
  }
  return change;
}

/** The values that the changed fields have in a spec; null where it has none. */
export function valuesOf(spec: unknown, change: Change): Record<string, unknown> {
  return Object.fromEntries([...change.keys()].map((field) => [field, at(spec, field.split('.')) ?? null]));
}

function at(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], value);
}

function set(target: Record<string, unknown>, [step, ...rest]: readonly string[], value: unknown): void {
  if (step === undefined) return;
  if (rest.length === 0) {
    if (value === null) delete target[step];
    else target[step] = value;
    return;
  }
  const below = target[step];
  if (typeof below !== 'object' || below === null) {
    if (value === null) return;
    target[step] = {};
  }
  const child = target[step] as Record<string, unknown>;
  set(child, rest, value);
  // An empty object would be a field of its own that we hold for nothing.
  if (Object.keys(child).length === 0) delete target[step];
}
