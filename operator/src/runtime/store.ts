import type { KubeObject } from './cluster.ts';

/** `namespace/name`, or `name` for what is cluster-scoped: unique within one kind at one time. */
export type ObjectKey = string;

/** What happened to one object. `before` and `object` of an update have the same uid; a recreation is two changes. */
export type Change =
  | { type: 'added'; object: KubeObject }
  | { type: 'updated'; object: KubeObject; before: KubeObject }
  | { type: 'deleted'; object: KubeObject };

/** Values under which an object can be found again; none hides it from that index. */
export type IndexFunction = (object: KubeObject) => readonly string[];

/** The key of an object within its kind. */
export function objectKey(metadata: { namespace?: string; name: string }): ObjectKey {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/**
 * The last known state of one kind. Objects are shared with every reader and must not be changed.
 * Nothing here is linear in the store's size except iteration and `replace`; no reader is handed a copy.
 */
export class Store {
  readonly #objects = new Map<ObjectKey, KubeObject>();
  readonly #functions: ReadonlyMap<string, IndexFunction>;
  readonly #indexes = new Map<string, Map<string, Set<ObjectKey>>>();

  constructor(indexes: Record<string, IndexFunction> = {}) {
    this.#functions = new Map(Object.entries(indexes));
    for (const name of this.#functions.keys()) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): KubeObject | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<ObjectKey> {
    return this.#objects.keys();
  }

  values(): IterableIterator<KubeObject> {
    return this.#objects.values();
  }

  /** Objects that `index` files under `value`, in no order. Throws on an index that was not declared. */
  *lookup(index: string, value: string): Generator<KubeObject> {
    const filed = this.#indexes.get(index);
    if (filed === undefined) throw new Error(`no index ${index}; declared: ${[...this.#functions.keys()].join(', ')}`);
    for (const key of filed.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) yield object;
    }
  }

  /** Takes an object in. Two changes when the name was reused by another object, none when it is the same version. */
  put(object: KubeObject): Change[] {
    const key = objectKey(object.metadata);
    const before = this.#objects.get(key);
    if (before !== undefined && before.metadata.uid === object.metadata.uid) {
      if (before.metadata.resourceVersion === object.metadata.resourceVersion) return [];
      this.#unfile(key, before);
      this.#file(key, object);
      return [{ type: 'updated', object, before }];
    }
    const gone: Change[] = before === undefined ? [] : [{ type: 'deleted', object: before }];
    if (before !== undefined) this.#unfile(key, before);
    this.#file(key, object);
    return [...gone, { type: 'added', object }];
  }

  /** Forgets an object; the change carries the last state the server told, where it told one. */
  remove(key: ObjectKey, lastState?: KubeObject): Change[] {
    const before = this.#objects.get(key);
    if (before === undefined) return [];
    // A late deletion of a former object must not take its successor of the same name along.
    if (lastState?.metadata.uid !== undefined && lastState.metadata.uid !== before.metadata.uid) return [];
    this.#unfile(key, before);
    this.#objects.delete(key);
    return [{ type: 'deleted', object: lastState ?? before }];
  }

  /** Makes the store hold exactly `objects`, and what `keep` holds on to; tells the difference by uid. */
  replace(objects: readonly KubeObject[], keep: (stored: KubeObject) => boolean = () => false): Change[] {
    const listed = new Map(objects.map((object) => [objectKey(object.metadata), object]));
    const changes: Change[] = [];
    for (const [key, stored] of [...this.#objects])
      if (keep(stored)) listed.delete(key);
      else if (!listed.has(key)) changes.push(...this.remove(key));
    for (const object of listed.values()) changes.push(...this.put(object));
    return changes;
  }

  #file(key: ObjectKey, object: KubeObject): void {
    this.#objects.set(key, object);
    for (const [name, valuesOf] of this.#functions) {
      const index = this.#indexes.get(name);
      for (const value of valuesOf(object)) {
        const keys = index?.get(value);
        if (keys === undefined) index?.set(value, new Set([key]));
        else keys.add(key);
      }
    }
  }

  #unfile(key: ObjectKey, object: KubeObject): void {
    for (const [name, valuesOf] of this.#functions) {
      const index = this.#indexes.get(name);
      for (const value of valuesOf(object)) {
        const keys = index?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index?.delete(value);
      }
    }
  }
}

/** Files objects under the value of one label. */
export function byLabel(label: string): IndexFunction {
  return (object) => {
    const value = object.metadata.labels?.[label];
    return value === undefined ? [] : [value];
  };
}
