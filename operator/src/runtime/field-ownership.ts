import { ATOMIC_MAPS, isMap, itemIdentity, listSemantics } from './merge-semantics.ts';

/**
 * Server-side apply's bookkeeping for the fake cluster: which fields a manager states, what merging them into a live
 * object gives, and what remains when it states one no more. Good for objects that one manager owns in full.
 */

/** One step into an object: a field of a map, an item of a keyed list, or a value of a set. */
type Step = { field: string } | { item: string; keys: readonly string[] } | { value: unknown };
/** Leaf fields by their printed path. */
export type FieldSet = Map<string, { path: readonly Step[]; value: unknown }>;

/** The leaf fields that `value` states; atomic lists and maps are leaves, and so is an empty map. */
export function fieldsOf(
  value: unknown,
  path: readonly Step[] = [],
  field = '',
  found: FieldSet = new Map(),
): FieldSet {
  if (isMap(value) && Object.keys(value).length > 0 && !ATOMIC_MAPS.has(field)) {
    for (const [name, child] of Object.entries(value)) fieldsOf(child, [...path, { field: name }], name, found);
    return found;
  }
  if (Array.isArray(value) && value.length > 0) {
    const semantics = listSemantics(field, value);
    if (semantics.kind === 'map') {
      for (const item of value) {
        const step: Step = { item: itemIdentity(item, semantics.keys), keys: semantics.keys };
        fieldsOf(item, [...path, step], '', found);
      }
      return found;
    }
    if (semantics.kind === 'set') {
      for (const item of value) add(found, [...path, { value: item }], item);
      return found;
    }
  }
  add(found, path, value);
  return found;
}

function add(found: FieldSet, path: readonly Step[], value: unknown): void {
  found.set(print(path), { path, value });
}

/** `live` with every field of `stated` set, keyed lists merged by key and sets by value. Changes neither. */
export function merge(live: unknown, stated: unknown, field = ''): unknown {
  if (isMap(live) && isMap(stated) && !ATOMIC_MAPS.has(field)) {
    const merged: Record<string, unknown> = { ...live };
    for (const [name, child] of Object.entries(stated)) merged[name] = merge(live[name], child, name);
    return merged;
  }
  if (Array.isArray(live) && Array.isArray(stated)) {
    const semantics = listSemantics(field, stated);
    if (semantics.kind === 'set') return [...live, ...stated.filter((value) => !live.includes(value))];
    if (semantics.kind === 'map') return mergeItems(live, stated, semantics.keys);
  }
  return structuredClone(stated);
}

function mergeItems(live: readonly unknown[], stated: readonly unknown[], keys: readonly string[]): unknown[] {
  const wanted = new Map(stated.map((item) => [itemIdentity(item, keys), item]));
  const kept = live.map((item) => {
    const identity = itemIdentity(item, keys);
    const update = wanted.get(identity);
    wanted.delete(identity);
    return update === undefined ? item : merge(item, update);
  });
  return [...kept, ...wanted.values()];
}

/** `live` without the fields at `paths`; maps, items and lists that become empty on the way go too. */
export function removeAll(live: unknown, paths: readonly (readonly Step[])[]): unknown {
  // The fields an item is found by go last, and with the last of them the item.
  const isKey = (path: readonly Step[]) => {
    const [item, last] = path.slice(-2);
    return (
      item !== undefined && 'item' in item && last !== undefined && 'field' in last && item.keys.includes(last.field)
    );
  };
  const ordered = [...paths.filter((path) => !isKey(path)), ...paths.filter(isKey)];
  return ordered.reduce<unknown>((left, path) => remove(left, path), live);
}

function remove(live: unknown, path: readonly Step[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return undefined;
  if ('field' in step) {
    if (!isMap(live) || !(step.field in live)) return live;
    const { [step.field]: child, ...others } = live;
    const left = remove(child, rest);
    const result = left === undefined ? others : { ...live, [step.field]: left };
    return Object.keys(result).length === 0 ? undefined : result;
  }
  if (!Array.isArray(live)) return live;
  const left =
    'value' in step
      ? live.filter((value) => value !== step.value)
      : live.flatMap((item) => {
          if (itemIdentity(item, step.keys) !== step.item) return [item];
          const [last] = rest;
          if (
            isMap(item) &&
            rest.length === 1 &&
            last !== undefined &&
            'field' in last &&
            step.keys.includes(last.field)
          )
            return Object.keys(item).every((name) => step.keys.includes(name)) ? [] : [item];
          const remaining = remove(item, rest);
          return remaining === undefined ? [] : [remaining];
        });
  return left.length === 0 ? undefined : left;
}

function print(path: readonly Step[]): string {
  return path
    .map((step) => ('field' in step ? `.${step.field}` : 'item' in step ? step.item : `=${JSON.stringify(step.value)}`))
    .join('');
}
