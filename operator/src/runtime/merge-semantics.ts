/**
 * How server-side apply merges the lists and maps of built-in kinds: the part of the API server's OpenAPI
 * (`x-kubernetes-list-type`, `-list-map-keys`, `-map-type`) that objects of this operator use, by field name.
 * `merge-semantics.integration.test.ts` holds this table against the OpenAPI of a real server.
 */
export type ListSemantics = { kind: 'atomic' } | { kind: 'set' } | { kind: 'map'; keys: readonly string[] };

/** Fields of keyed lists. `ports` has two forms: the first whose keys every item has is meant. */
export const KEYED_LISTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  conditions: [['type']],
  containers: [['name']],
  env: [['name']],
  ephemeralContainers: [['name']],
  hostAliases: [['ip']],
  imagePullSecrets: [['name']],
  initContainers: [['name']],
  ownerReferences: [['uid']],
  ports: [
    ['containerPort', 'protocol'],
    ['port', 'protocol'],
  ],
  schedulingGates: [['name']],
  secrets: [['name']],
  topologySpreadConstraints: [['topologyKey', 'whenUnsatisfiable']],
  volumeDevices: [['devicePath']],
  volumeMounts: [['mountPath']],
  volumes: [['name']],
};

/** Lists in which each value stands for itself. */
export const SET_LISTS: ReadonlySet<string> = new Set(['finalizers']);

/** Maps that change as one: a key more is a different map. */
export const ATOMIC_MAPS: ReadonlySet<string> = new Set([
  'configMapKeyRef',
  'dataSource',
  'fieldRef',
  'fileKeyRef',
  'labelSelector',
  'namespaceSelector',
  'nodePublishSecretRef',
  'nodeSelector',
  'podSelector',
  'port',
  'requiredDuringSchedulingIgnoredDuringExecution',
  'resource',
  'resourceFieldRef',
  'scopeSelector',
  'secretKeyRef',
  'secretRef',
  'selector',
]);

/** What the server writes into a key field that was left out. */
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' };

/** Whether `value` is a JSON object. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How the list `items` under `field` merges; a keyed list with an item that lacks its key counts as atomic. */
export function listSemantics(field: string, items: readonly unknown[]): ListSemantics {
  if (SET_LISTS.has(field)) return { kind: 'set' };
  for (const keys of KEYED_LISTS[field] ?? []) {
    const keyed = items.every((item) => isMap(item) && keys.every((key) => keyValue(item, key) !== undefined));
    if (keyed) return { kind: 'map', keys };
  }
  return { kind: 'atomic' };
}

/** The identity of an item in a keyed list, as one comparable string. */
export function itemIdentity(item: unknown, keys: readonly string[]): string {
  return JSON.stringify(keys.map((key) => (isMap(item) ? keyValue(item, key) : undefined)));
}

function keyValue(item: Record<string, unknown>, key: string): unknown {
  return item[key] ?? KEY_DEFAULTS[key];
}
