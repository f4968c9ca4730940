import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Cluster, KubeObject, ObjectRef, Preconditions, Resource, Selection } from './cluster.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { HttpConnection, type HttpRequest, unreachable } from './http-connection.ts';
import { jsonLines } from './json-lines.ts';
import { isNotFound, KubeError } from './kube-error.ts';
import { collectionPath, objectPath } from './kube-paths.ts';
import { listAll } from './list-all.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { kubeErrorOfWatchLine } from './status-answer.ts';
import type { ListPage, PageRequest, WatchEvent, WatchRequest, WatchSource, WatchTarget } from './watch-source.ts';

/** Objects asked for at once; the server caps nothing, but memory on both sides should have a bound. */
export const LIST_PAGE_SIZE = 500;

const METADATA_ONLY = {
  list: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
  watch: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
};

const metadataSchema = z.looseObject({ name: z.string() });
const objectSchema = z.looseObject({ metadata: metadataSchema });
const pageSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(objectSchema).nullish(),
});
const watchLineSchema = z.object({ type: z.string(), object: z.looseObject({}) });

/** What a `KubeCluster` is made with. */
export interface KubeClusterOptions {
  access: ClusterAccess;
  metrics: RuntimeMetrics;
  /** Who the API server's audit log and `managedFields` of merge patches name. */
  userAgent: string;
  requestDeadlineMs?: number;
}

/** The real API server, over HTTP. */
export class KubeCluster implements Cluster, WatchSource {
  readonly #connection: HttpConnection;
  readonly #metrics: RuntimeMetrics;

  constructor({ metrics, ...connection }: KubeClusterOptions) {
    this.#connection = new HttpConnection(connection);
    this.#metrics = metrics;
  }

  async get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return await this.#object('get', ref.resource, { method: 'GET', path: objectPath(ref) }, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list(
    resource: Resource,
    selection: Selection = {},
    signal = new AbortController().signal,
  ): Promise<KubeObject[]> {
    const { items } = await listAll(this, { resource, selection }, LIST_PAGE_SIZE, signal);
    return items;
  }

  async apply(resource: Resource, object: KubeObject, fieldManager: string, signal?: AbortSignal): Promise<KubeObject> {
    return this.#apply('apply', '', resource, object, fieldManager, signal);
  }

  /**
   * Server-side apply that takes no field from anybody: one that another manager holds is a 409 whose `faults` name
   * them. With `metadata.resourceVersion`, only onto exactly that version.
   */
  async applyGently(
    resource: Resource,
    object: KubeObject,
    fieldManager: string,
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    return this.#apply('apply', '', resource, object, fieldManager, signal, false);
  }

  async applyStatus(
    resource: Resource,
    object: KubeObject,
    fieldManager: string,
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    return this.#apply('apply-status', 'status', resource, object, fieldManager, signal);
  }

  async create(
    resource: Resource,
    object: KubeObject,
    fieldManager: string,
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    const { namespace } = object.metadata;
    const path = collectionPath(resource, namespace === undefined ? {} : { namespace }, {
      fieldManager,
      fieldValidation: 'Strict',
    });
    const contentType = 'application/json';
    return this.#object(
      'create',
      resource,
      { method: 'POST', path, contentType, body: JSON.stringify(object) },
      signal,
    );
  }

  async setFinalizers(
    ref: ObjectRef,
    { metadata: { uid, resourceVersion } }: KubeObject,
    finalizers: string[],
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    if (resourceVersion === undefined) throw new Error(`${ref.name}: finalizers are set on a version that was read`);
    const body = JSON.stringify({ metadata: { uid, resourceVersion, finalizers } });
    const contentType = 'application/merge-patch+json';
    return this.#object('patch', ref.resource, { method: 'PATCH', path: objectPath(ref), contentType, body }, signal);
  }

  async delete(ref: ObjectRef, preconditions: Preconditions, signal?: AbortSignal): Promise<void> {
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions };
    const contentType = 'application/json';
    const request: HttpRequest = {
      method: 'DELETE',
      path: objectPath(ref),
      contentType,
      body: JSON.stringify(options),
    };
    try {
      await this.#timed('delete', ref.resource, () => this.#connection.json(request, signal));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async listPage(target: WatchTarget, { limit, continueToken }: PageRequest, signal: AbortSignal): Promise<ListPage> {
    const { resource, selection, metadataOnly } = target;
    const path = collectionPath(resource, selection ?? {}, { limit, continue: continueToken });
    const request: HttpRequest = { method: 'GET', path, ...(metadataOnly && { accept: METADATA_ONLY.list }) };
    const { items, metadata } = await this.#timed('list', resource, async () =>
      parse(pageSchema, await this.#connection.json(request, signal)),
    );
    return {
      // The items of a list do not say what they are.
      items: (items ?? []).map((item) => asKind(resource, item)),
      resourceVersion: metadata.resourceVersion,
      ...(metadata.continue && { continueToken: metadata.continue }),
    };
  }

  async *watch(
    { resource, selection, metadataOnly }: WatchTarget,
    { resourceVersion, timeoutSeconds }: WatchRequest,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const query = { watch: 1, allowWatchBookmarks: true, resourceVersion, timeoutSeconds };
    const path = collectionPath(resource, selection ?? {}, query);
    const request: HttpRequest = { method: 'GET', path, ...(metadataOnly && { accept: METADATA_ONLY.watch }) };
    const body: Readable = await this.#timed('watch', resource, () => this.#connection.stream(request, signal));
    try {
      for await (const line of jsonLines(body)) yield watchEvent(resource, parse(watchLineSchema, line));
    } catch (error) {
      throw error instanceof KubeError ? error : unreachable(error, signal);
    } finally {
      body.destroy();
    }
  }

  /** Ends every connection. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #apply(
    verb: string,
    subresource: string,
    resource: Resource,
    object: KubeObject,
    fieldManager: string,
    signal?: AbortSignal,
    force = true,
  ): Promise<KubeObject> {
    const { managedFields: _, ...metadata } = object.metadata;
    const query = { fieldManager, force, fieldValidation: 'Strict' };
    const path = objectPath({ resource, ...object.metadata }, query, subresource);
    const body = yamlSafeJson({ ...object, metadata });
    const contentType = 'application/apply-patch+yaml';
    return this.#object(verb, resource, { method: 'PATCH', path, contentType, body }, signal);
  }

  #object(verb: string, resource: Resource, request: HttpRequest, signal?: AbortSignal): Promise<KubeObject> {
    return this.#timed(verb, resource, async () =>
      asKind(resource, parse(objectSchema, await this.#connection.json(request, signal))),
    );
  }

  async #timed<T>(verb: string, { kind }: Resource, work: () => Promise<T>): Promise<T> {
    const end = this.#metrics.requestSeconds.startTimer({ verb, kind });
    try {
      const answer = await work();
      end({ status: '2xx' });
      return answer;
    } catch (error) {
      end({ status: error instanceof KubeError ? String(error.status || error.reason) : 'aborted' });
      throw error;
    }
  }
}

function watchEvent(resource: Resource, { type, object }: z.infer<typeof watchLineSchema>): WatchEvent {
  if (type === 'ERROR') return { type: 'error', error: kubeErrorOfWatchLine(object) };
  const { metadata, ...rest } = object;
  if (type === 'BOOKMARK') {
    const { resourceVersion } = parse(z.object({ resourceVersion: z.string() }), metadata);
    return { type: 'bookmark', resourceVersion };
  }
  const kubeObject = asKind(resource, parse(objectSchema, { ...rest, metadata }));
  if (type === 'ADDED') return { type: 'added', object: kubeObject };
  if (type === 'MODIFIED') return { type: 'modified', object: kubeObject };
  if (type === 'DELETED') return { type: 'deleted', object: kubeObject };
  throw new KubeError({ status: 0, reason: 'MalformedAnswer', message: `watch: a line of unknown type ${type}` });
}

/** An object as it came, named as the kind that was asked for (also where only its metadata was). */
function asKind({ apiVersion, kind }: Resource, object: z.infer<typeof objectSchema>): KubeObject {
  return { ...object, apiVersion, kind } as KubeObject;
}

/** What the runtime relies on is checked; what it only carries is not. */
function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const message = `the answer has an unexpected shape: ${z.prettifyError(parsed.error)}`;
  throw new KubeError({ status: 0, reason: 'MalformedAnswer', message });
}

/**
 * JSON that a YAML reader takes for the same value: the server reads an apply patch as YAML, where next-line, line and
 * paragraph separators inside a string would be folded into a blank and other controls refused.
 */
export function yamlSafeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
