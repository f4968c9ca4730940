import type { Cluster, KubeObject, ObjectRef, Preconditions, Resource, Selection } from './cluster.ts';
import { FakeHistory, selects } from './fake-history.ts';
import { FakeObject, refuse } from './fake-object.ts';
import { objectKey } from './store.ts';
import type { ListPage, PageRequest, WatchEvent, WatchRequest, WatchSource, WatchTarget } from './watch-source.ts';

/** One request to the fake, as tests see it. */
export interface FakeRequest {
  verb: 'get' | 'list' | 'watch' | 'apply' | 'applyStatus' | 'create' | 'setFinalizers' | 'delete';
  kind: string;
  /** `namespace/name` or `name`; empty for lists and watches. */
  key: string;
  object?: KubeObject;
}

/** Namespaces a fresh cluster has. */
const FIRST_NAMESPACES = ['default', 'kube-system'];
const NAMESPACES: Resource = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };

/**
 * An API server in memory. It behaves as the real one does in what an operator relies on: the scenarios in
 * `testing/cluster-scenarios.ts` run against both. No controllers run in it; `collectGarbage` plays two of them.
 */
export class FakeCluster implements Cluster, WatchSource {
  /** Every request that changed something, or asked to, in order. */
  readonly writes: FakeRequest[] = [];
  /** Sees each request first; what it throws is the answer. */
  intercept: (request: FakeRequest) => void | Promise<void> = () => {};

  readonly #kinds = new Map<string, Map<string, FakeObject>>();
  readonly #history = new FakeHistory();
  readonly #now: () => Date;
  #version = 0;
  #uids = 0;

  constructor(options: { now?: () => Date } = {}) {
    this.#now = options.now ?? (() => new Date());
    for (const name of FIRST_NAMESPACES)
      this.#create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'fake');
  }

  async get(ref: ObjectRef): Promise<KubeObject | undefined> {
    await this.#arrive('get', ref.resource, objectKey(ref));
    return structuredClone(this.#find(ref)?.live);
  }

  async list(resource: Resource, selection: Selection = {}): Promise<KubeObject[]> {
    await this.#arrive('list', resource, '');
    return this.#selected({ resource, selection });
  }

  async apply(resource: Resource, object: KubeObject, fieldManager: string): Promise<KubeObject> {
    await this.#arrive('apply', resource, objectKey(object.metadata), object);
    const found = this.#find({ resource, ...object.metadata });
    if (found === undefined) return this.#create(resource, object, fieldManager);
    return this.#store(resource, found, found.applied(object, fieldManager));
  }

  async applyStatus(resource: Resource, object: KubeObject, fieldManager: string): Promise<KubeObject> {
    await this.#arrive('applyStatus', resource, objectKey(object.metadata), object);
    const found = this.#found({ resource, ...object.metadata });
    return this.#store(resource, found, found.statusApplied(object, fieldManager));
  }

  async create(resource: Resource, object: KubeObject, fieldManager: string): Promise<KubeObject> {
    await this.#arrive('create', resource, objectKey(object.metadata), object);
    if (this.#find({ resource, ...object.metadata }) !== undefined)
      throw refuse(409, 'AlreadyExists', `${resource.plural} "${object.metadata.name}" already exists`);
    return this.#create(resource, object, fieldManager);
  }

  async setFinalizers(ref: ObjectRef, current: KubeObject, finalizers: string[]): Promise<KubeObject> {
    await this.#arrive('setFinalizers', ref.resource, objectKey(ref), current);
    const found = this.#found(ref);
    return this.#store(ref.resource, found, found.withFinalizers(current, finalizers));
  }

  async delete(ref: ObjectRef, preconditions: Preconditions): Promise<void> {
    await this.#arrive('delete', ref.resource, objectKey(ref));
    const found = this.#find(ref);
    if (found === undefined) return;
    found.check(preconditions);
    this.#delete(ref.resource, found);
  }

  async listPage(target: WatchTarget, page: PageRequest): Promise<ListPage> {
    await this.#arrive('list', target.resource, '');
    return this.#history.page(this.#selected(target), this.#version, page);
  }

  async *watch(target: WatchTarget, request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    await this.#arrive('watch', target.resource, '');
    yield* this.#history.watch(kindKey(target.resource), target, request, signal);
  }

  /** Changes an object as `kubectl edit` would: what `mutate` changes is `manager`'s from then on. */
  edit(ref: ObjectRef, mutate: (object: KubeObject) => void, manager = 'kubectl-edit'): KubeObject {
    const found = this.#found(ref);
    return this.#store(ref.resource, found, found.edited(mutate, manager));
  }

  /** Deletes an object as `kubectl delete` would: finalizers hold it. */
  kubectlDelete(ref: ObjectRef): void {
    this.#delete(ref.resource, this.#found(ref));
  }

  /** Forgets history: watches and list pages from before are answered 410. */
  compact(): void {
    this.#history.compact(++this.#version);
  }

  /** Plays the namespace controller and the garbage collector until they have nothing left to do. */
  collectGarbage(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const [resource, object] of this.#everything()) {
        const { namespace, ownerReferences, deletionTimestamp } = object.live.metadata;
        const home = namespace === undefined ? undefined : this.#find({ resource: NAMESPACES, name: namespace });
        const homeless = namespace !== undefined && home?.live.metadata.deletionTimestamp !== undefined;
        const orphan = ownerReferences?.length && !ownerReferences.some((owner) => this.#uidLives(owner.uid));
        if ((homeless || orphan) && deletionTimestamp === undefined) {
          this.#delete(resource, object);
          busy = true;
        }
      }
      for (const [resource, object] of this.#everything()) {
        const { name, deletionTimestamp, finalizers } = object.live.metadata;
        if (resource.kind !== 'Namespace' || deletionTimestamp === undefined || finalizers?.length) continue;
        if (this.#everything().some(([, other]) => other.live.metadata.namespace === name)) continue;
        this.#forget(resource, object);
        busy = true;
      }
    }
  }

  async #arrive(verb: FakeRequest['verb'], resource: Resource, key: string, object?: KubeObject): Promise<void> {
    const request: FakeRequest = { verb, kind: resource.kind, key, ...(object && { object: structuredClone(object) }) };
    if (verb !== 'get' && verb !== 'list' && verb !== 'watch') this.writes.push(request);
    await this.intercept(request);
  }

  #create(resource: Resource, object: KubeObject, manager: string): KubeObject {
    const { namespace, uid, resourceVersion } = object.metadata;
    if (uid !== undefined || resourceVersion !== undefined)
      throw refuse(409, 'Conflict', `${resource.plural} "${object.metadata.name}" is not that object any more`);
    const home = namespace === undefined ? undefined : this.#find({ resource: NAMESPACES, name: namespace });
    if (namespace !== undefined && home === undefined)
      throw refuse(404, 'NotFound', `namespaces "${namespace}" not found`);
    if (home?.live.metadata.deletionTimestamp !== undefined)
      throw refuse(403, 'Forbidden', `namespace ${namespace} is being terminated`);
    const suffix = (++this.#uids).toString(16).padStart(12, '0');
    const made = FakeObject.create(resource, object, manager, {
      uid: `00000000-0000-4000-8000-${suffix}`,
      resourceVersion: String(++this.#version),
      creationTimestamp: this.#timestamp(),
    });
    this.#objectsOf(resource).set(objectKey(object.metadata), made);
    this.#record(resource, 'added', made.live, undefined);
    return structuredClone(made.live);
  }

  /** Stores the next state of an object unless it equals the present one: then its resourceVersion stays. */
  #store(resource: Resource, found: FakeObject, next: FakeObject): KubeObject {
    const key = objectKey(found.live.metadata);
    if (!next.differsFrom(found)) {
      this.#objectsOf(resource).set(key, next.withVersion(found.live.metadata.resourceVersion));
      return structuredClone(found.live);
    }
    const stored = next.withVersion(String(++this.#version));
    const { deletionTimestamp, finalizers } = stored.live.metadata;
    if (deletionTimestamp !== undefined && !finalizers?.length && resource.kind !== 'Namespace') {
      this.#objectsOf(resource).delete(key);
      this.#record(resource, 'deleted', stored.live, found.live);
    } else {
      this.#objectsOf(resource).set(key, stored);
      this.#record(resource, 'modified', stored.live, found.live);
    }
    return structuredClone(stored.live);
  }

  #delete(resource: Resource, found: FakeObject): void {
    const { finalizers, deletionTimestamp } = found.live.metadata;
    if (finalizers?.length || resource.kind === 'Namespace') {
      if (deletionTimestamp === undefined) this.#store(resource, found, found.deleting(this.#timestamp()));
    } else {
      this.#forget(resource, found);
    }
  }

  #forget(resource: Resource, found: FakeObject): void {
    this.#objectsOf(resource).delete(objectKey(found.live.metadata));
    this.#record(resource, 'deleted', found.withVersion(String(++this.#version)).live, found.live);
  }

  #record(resource: Resource, type: 'added' | 'modified' | 'deleted', object: KubeObject, before?: KubeObject): void {
    this.#history.record(kindKey(resource), { version: this.#version, type, object, before });
  }

  #objectsOf(resource: Resource): Map<string, FakeObject> {
    const key = kindKey(resource);
    const objects = this.#kinds.get(key) ?? new Map<string, FakeObject>();
    this.#kinds.set(key, objects);
    return objects;
  }

  #find(ref: { resource: Resource; name: string; namespace?: string }): FakeObject | undefined {
    return this.#objectsOf(ref.resource).get(objectKey(ref));
  }

  #found(ref: { resource: Resource; name: string; namespace?: string }): FakeObject {
    const found = this.#find(ref);
    if (found === undefined) throw refuse(404, 'NotFound', `${ref.resource.plural} "${ref.name}" not found`);
    return found;
  }

  #selected(target: WatchTarget): KubeObject[] {
    const objects = [...this.#objectsOf(target.resource)].sort(([a], [b]) => (a < b ? -1 : 1));
    return objects.map(([, { live }]) => structuredClone(live)).filter(selects(target));
  }

  #everything(): [Resource, FakeObject][] {
    return [...this.#kinds.values()].flatMap((objects) =>
      [...objects.values()].map((object): [Resource, FakeObject] => [object.resource, object]),
    );
  }

  #uidLives(uid: string): boolean {
    return this.#everything().some(([, { live }]) => live.metadata.uid === uid);
  }

  #timestamp(): string {
    return this.#now()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
  }
}

function kindKey({ apiVersion, plural }: Resource): string {
  return `${apiVersion}/${plural}`;
}
