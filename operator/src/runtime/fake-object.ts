import { canonicalJson } from './canonical-json.ts';
import type { KubeObject, ObjectMeta, Preconditions, Resource } from './cluster.ts';
import { type FieldSet, fieldsOf, merge, removeAll } from './field-ownership.ts';
import { KubeError } from './kube-error.ts';

/** What the server alone decides about an object. */
type Identity = Pick<ObjectMeta, 'uid' | 'resourceVersion' | 'creationTimestamp'>;
/** Who states which fields, by `<operation>/<manager>/<subresource>`. */
type Owners = ReadonlyMap<string, FieldSet>;

/** One stored object of the fake cluster with its field ownership. Values: each change makes a new one. */
export class FakeObject {
  readonly resource: Resource;
  readonly live: KubeObject;
  readonly #owners: Owners;

  private constructor(resource: Resource, live: KubeObject, owners: Owners) {
    this.resource = resource;
    const managedFields = [...owners.keys()].map((key) => {
      const [operation, manager, subresource] = key.split('/');
      return { operation, manager, ...(subresource ? { subresource } : {}) };
    });
    this.live = { ...live, metadata: { ...live.metadata, managedFields } };
    this.#owners = owners;
  }

  static create(resource: Resource, object: KubeObject, manager: string, identity: Identity): FakeObject {
    const stated = withoutServerFields(object);
    const generation = 'spec' in object ? { generation: 1 } : {};
    const phase = resource.kind === 'Namespace' ? { status: { phase: 'Active' } } : {};
    const live = { ...stated, ...phase, metadata: { ...stated.metadata, ...identity, ...generation } };
    return new FakeObject(resource, live, new Map([[`Apply/${manager}/`, fieldsOf(statedFields(stated))]]));
  }

  /** Throws a conflict unless this is still the object, and the version, that the caller saw. */
  check({ uid, resourceVersion }: Partial<Preconditions>): void {
    const { metadata } = this.live;
    const same =
      (uid === undefined || uid === metadata.uid) &&
      (resourceVersion === undefined || resourceVersion === metadata.resourceVersion);
    if (!same) throw refuse(409, 'Conflict', `${this.resource.plural} "${metadata.name}" is not that object any more`);
  }

  /** Server-side apply with force. */
  applied(object: KubeObject, manager: string): FakeObject {
    this.check(object.metadata);
    return this.#merged(`Apply/${manager}/`, statedFields(withoutServerFields(object)));
  }

  /** Server-side apply of the status subresource. */
  statusApplied(object: KubeObject, manager: string): FakeObject {
    this.check(object.metadata);
    return this.#merged(`Apply/${manager}/status`, { status: object.status ?? {} });
  }

  /** The object as somebody's editor leaves it; what changed is theirs. */
  edited(mutate: (object: KubeObject) => void, manager: string): FakeObject {
    const next = structuredClone(this.live);
    mutate(next);
    const before = fieldsOf(statedFields(this.live));
    const after = fieldsOf(statedFields(next));
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (path) => canonicalJson(before.get(path)?.value) !== canonicalJson(after.get(path)?.value),
    );
    const theirs: FieldSet = new Map();
    for (const path of changed) {
      const field = after.get(path);
      if (field !== undefined) theirs.set(path, field);
    }
    return this.#next(next, `Update/${manager}/`, theirs, changed);
  }

  /** A merge patch of the finalizers, of exactly the version the caller saw. */
  withFinalizers(current: KubeObject, finalizers: readonly string[]): FakeObject {
    this.check({
      ...(current.metadata.uid && { uid: current.metadata.uid }),
      ...(current.metadata.resourceVersion && { resourceVersion: current.metadata.resourceVersion }),
    });
    const present = this.live.metadata.finalizers ?? [];
    if (this.live.metadata.deletionTimestamp !== undefined && finalizers.some((name) => !present.includes(name)))
      throw refuse(422, 'Invalid', 'no new finalizers can be added if the object is being deleted');
    return this.edited((object) => {
      if (finalizers.length > 0) object.metadata.finalizers = [...finalizers];
      else delete object.metadata.finalizers;
    }, 'finalizers');
  }

  /** The object with its deletion begun. */
  deleting(timestamp: string): FakeObject {
    const phase = this.resource.kind === 'Namespace' ? { status: { phase: 'Terminating' } } : {};
    const { generation } = this.live.metadata;
    const next = generation === undefined ? {} : { generation: generation + 1 };
    const metadata = { ...this.live.metadata, ...next, deletionTimestamp: timestamp };
    return new FakeObject(this.resource, { ...this.live, ...phase, metadata }, this.#owners);
  }

  withVersion(resourceVersion: string | undefined): FakeObject {
    const version = resourceVersion === undefined ? {} : { resourceVersion };
    const live = { ...this.live, metadata: { ...this.live.metadata, ...version } };
    return new FakeObject(this.resource, live, this.#owners);
  }

  /** Whether storing this over `other` would change anything: a field, or who states one. */
  differsFrom(other: FakeObject): boolean {
    if (canonicalJson(this.live) !== canonicalJson(other.live)) return true;
    const owners = (object: FakeObject) =>
      canonicalJson([...object.#owners].map(([key, fields]) => [key, [...fields.keys()].sort()]));
    return owners(this) !== owners(other);
  }

  #merged(owner: string, stated: Record<string, unknown>): FakeObject {
    const fields = fieldsOf(stated);
    const others = [...this.#owners].filter(([key]) => key !== owner).map(([, set]) => set);
    const given = [...(this.#owners.get(owner) ?? [])]
      .filter(([path]) => !fields.has(path) && !others.some((set) => set.has(path)))
      .map(([, { path }]) => path);
    const live = merge(removeAll(this.live, given), stated) as KubeObject;
    const before = fieldsOf(statedFields(this.live));
    const taken = [...fields.keys()].filter(
      (path) => canonicalJson(before.get(path)?.value) !== canonicalJson(fields.get(path)?.value),
    );
    return this.#next(live, owner, fields, taken);
  }

  /** The next state: `owner` states `fields`, and nobody else the `taken` ones any more. */
  #next(live: KubeObject, owner: string, fields: FieldSet, taken: readonly string[]): FakeObject {
    const owners = new Map<string, FieldSet>();
    for (const [key, set] of this.#owners) owners.set(key, new Map([...set].filter(([path]) => !taken.includes(path))));
    const kept = owner.startsWith('Update/') ? (owners.get(owner) ?? new Map()) : new Map();
    owners.set(owner, new Map([...kept, ...fields]));
    const nonEmpty = new Map([...owners].filter(([, set]) => set.size > 0));
    const { generation } = this.live.metadata;
    const changed = canonicalJson(specOf(live)) !== canonicalJson(specOf(this.live));
    const metadata = { ...live.metadata };
    if (generation !== undefined) metadata.generation = changed ? generation + 1 : generation;
    return new FakeObject(this.resource, { ...live, metadata }, nonEmpty);
  }
}

/** A refusal as the API server words it. */
export function refuse(status: number, reason: string, message: string): KubeError {
  return new KubeError({ status, reason, message });
}

/** A write's object without what a write cannot say. */
function withoutServerFields({ status: _, ...object }: KubeObject): KubeObject {
  const {
    uid: _u,
    resourceVersion: _r,
    generation: _g,
    managedFields: _m,
    creationTimestamp: _c,
    ...rest
  } = object.metadata;
  return { ...structuredClone(object), metadata: structuredClone(rest) as ObjectMeta };
}

/** The fields of an object that somebody can own. */
function statedFields({ apiVersion: _a, kind: _k, metadata, ...rest }: KubeObject): Record<string, unknown> {
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  const owned = Object.entries({ labels, annotations, finalizers, ownerReferences }).filter(
    ([, value]) => value !== undefined,
  );
  return owned.length === 0 ? rest : { ...rest, metadata: Object.fromEntries(owned) };
}

function specOf({ apiVersion: _a, kind: _k, metadata: _m, status: _s, ...rest }: KubeObject): unknown {
  return rest;
}
