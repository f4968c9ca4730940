import { canonicalJson } from './canonical-json.ts';
import type { KubeObject } from './cluster.ts';
import { ATOMIC_MAPS, isMap, itemIdentity, listSemantics } from './merge-semantics.ts';
import { sameQuantity } from './quantity.ts';

/** A field whose live value is not what is wished. `live` is `undefined` where the field is missing. */
export interface Difference {
  path: string;
  desired: unknown;
  live: unknown;
}

/** Maps whose values are quantities, which the server stores in a form of its own. */
const QUANTITY_MAPS: ReadonlySet<string> = new Set([
  'capacity',
  'default',
  'defaultRequest',
  'hard',
  'limits',
  'max',
  'maxLimitRequestRatio',
  'min',
  'requests',
]);
/** Single fields that hold a quantity. */
const QUANTITY_FIELDS: ReadonlySet<string> = new Set(['divisor', 'sizeLimit']);
/** What the server adds inside parts that change as one, where nobody else can have added it. */
const ATOMIC_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP', apiVersion: 'v1' };
/** Lists that change as one, whose items the server fills in at length; immutable, so nobody can edit them by hand. */
const FILLED_IN_LISTS: ReadonlySet<string> = new Set(['volumeClaimTemplates']);

/**
 * Where `live` does not hold what `desired` states. What only `live` has is no difference, because server-side apply
 * would leave it alone too: defaults, and fields of others. Inside atomic lists and maps an apply would replace the
 * whole, so there a field more is a difference.
 */
export function differences(desired: KubeObject, live: KubeObject): Difference[] {
  const found: Difference[] = [];
  const { apiVersion: _a, kind: _k, status: _s, metadata, ...rest } = desired;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  const stated = { metadata: { labels, annotations, finalizers, ownerReferences }, ...rest };
  compare(stated, live, { path: '', field: '', parent: '', exact: false }, found);
  return found;
}

/** Where in the object a value is. */
interface Place {
  path: string;
  /** Name of the field that holds the value, and of the field that holds that; empty inside a list. */
  field: string;
  parent: string;
  /** Whether an apply replaces everything here. */
  exact: boolean;
}

function compare(desired: unknown, live: unknown, place: Place, found: Difference[]): void {
  if (desired === undefined) return;
  // To the server, null and an empty list are ways to say nothing.
  if ((desired === null || isEmptyList(desired)) && (live === undefined || live === null || isEmptyList(live))) return;
  const isQuantity = QUANTITY_MAPS.has(place.parent) || QUANTITY_FIELDS.has(place.field);
  if (isMap(desired) && isMap(live)) compareMaps(desired, live, place, found);
  else if (Array.isArray(desired) && Array.isArray(live)) compareLists(desired, live, place, found);
  else if (desired !== live && !(isQuantity && sameQuantity(desired, live)))
    found.push({ path: place.path, desired, live });
}

function compareMaps(
  desired: Record<string, unknown>,
  live: Record<string, unknown>,
  place: Place,
  found: Difference[],
): void {
  const exact = place.exact || ATOMIC_MAPS.has(place.field);
  for (const [name, value] of Object.entries(desired)) {
    const inside = { path: `${place.path}.${name}`, field: name, parent: place.field, exact };
    compare(value, live[name], inside, found);
  }
  if (!exact) return;
  for (const [name, value] of Object.entries(live)) {
    if (name in desired || canonicalJson(ATOMIC_DEFAULTS[name]) === canonicalJson(value)) continue;
    found.push({ path: `${place.path}.${name}`, desired: undefined, live: value });
  }
}

function compareLists(desired: readonly unknown[], live: readonly unknown[], place: Place, found: Difference[]): void {
  const semantics = place.exact ? { kind: 'atomic' as const } : listSemantics(place.field, desired);
  const inside = (path: string, exact: boolean) => ({ path: `${place.path}[${path}]`, field: '', parent: '', exact });
  if (semantics.kind === 'set') {
    for (const value of desired)
      if (!live.includes(value))
        found.push({ path: `${place.path}[${String(value)}]`, desired: value, live: undefined });
  } else if (semantics.kind === 'map') {
    const items = new Map(live.map((item) => [itemIdentity(item, semantics.keys), item]));
    for (const item of desired) {
      const identity = itemIdentity(item, semantics.keys);
      compare(item, items.get(identity), inside(identity, false), found);
    }
  } else if (desired.length === live.length) {
    const exact = !FILLED_IN_LISTS.has(place.field);
    for (const [index, item] of desired.entries()) compare(item, live[index], inside(String(index), exact), found);
  } else {
    found.push({ path: place.path, desired, live });
  }
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
