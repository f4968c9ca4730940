/** A Kubernetes object as it travels: identity and metadata are typed, the rest is the kind's own business. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** The part of `metadata` that the runtime reads; everything else is carried along untouched. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  [field: string]: unknown;
}

/** An `ownerReferences` entry. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** A kind as the API server knows it; `plural` is the path segment of its URL. */
export interface Resource {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

/** Names one object: its resource and where it lives. */
export interface ObjectRef {
  resource: Resource;
  name: string;
  namespace?: string;
}

/** What must still be true of the object when the server deletes it; a mismatch is a `ConflictError`. */
export interface Preconditions {
  uid: string;
  resourceVersion?: string;
}

/** Narrows a list or a watch. */
export interface Selection {
  namespace?: string;
  labelSelector?: string;
}

/**
 * The one door to the API server. Reads return `undefined` for what does not exist; every other refusal throws a
 * `KubeError` (see `kube-error.ts`) that carries the HTTP status, the server's reason and `retryAfterMs` where given.
 */
export interface Cluster {
  /** Reads one object past every cache. */
  get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined>;
  /** Reads all objects of a kind, page by page. */
  list(resource: Resource, selection?: Selection, signal?: AbortSignal): Promise<KubeObject[]>;
  /** Server-side apply with force under `fieldManager`; returns the object as stored. */
  apply(resource: Resource, object: KubeObject, fieldManager: string, signal?: AbortSignal): Promise<KubeObject>;
  /** Server-side apply of the status subresource. */
  applyStatus(resource: Resource, object: KubeObject, fieldManager: string, signal?: AbortSignal): Promise<KubeObject>;
  /** Creates and fails with reason AlreadyExists when it is there: for Secrets, which are made once. */
  create(resource: Resource, object: KubeObject, fieldManager: string, signal?: AbortSignal): Promise<KubeObject>;
  /** Sets the finalizers of exactly this version of the object (a JSON merge patch with resourceVersion). */
  setFinalizers(ref: ObjectRef, current: KubeObject, finalizers: string[], signal?: AbortSignal): Promise<KubeObject>;
  /** Deletes under preconditions; an object that is gone already is no error. */
  delete(ref: ObjectRef, preconditions: Preconditions, signal?: AbortSignal): Promise<void>;
}
