import type { KubeObject, Resource, Selection } from './cluster.ts';

/** One page of a list. `continueToken` is absent on the last page. */
export interface ListPage {
  items: KubeObject[];
  resourceVersion: string;
  continueToken?: string;
}

/** One line of a watch. A `bookmark` says only how far the stream has come; `error` carries the server's Status. */
export type WatchEvent =
  | { type: 'added' | 'modified' | 'deleted'; object: KubeObject }
  | { type: 'bookmark'; resourceVersion: string }
  | { type: 'error'; error: Error };

/** How one page is asked for. */
export interface PageRequest {
  /** Absent: everything in one answer. */
  limit?: number;
  continueToken?: string;
}

/** How a watch is asked for. */
export interface WatchRequest {
  resourceVersion: string;
  /** Seconds after which the server ends the watch in an orderly way. */
  timeoutSeconds: number;
}

/** What a reflector watches: a kind, narrowed. */
export interface WatchTarget {
  resource: Resource;
  selection?: Selection;
  /** Asks the server for identity and metadata only: enough to map an object to keys, at a fraction of the memory. */
  metadataOnly?: boolean;
}

/** The half of the API server that a reflector needs. Errors are `KubeError`s. */
export interface WatchSource {
  listPage(target: WatchTarget, page: PageRequest, signal: AbortSignal): Promise<ListPage>;
  /**
   * Streams events until the server ends the watch (a normal return), the connection breaks or a line cannot be read
   * (both throw), or `signal` aborts (throws the signal's reason).
   */
  watch(target: WatchTarget, request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchEvent>;
}
