import type { KubeObject } from './cluster.ts';
import { KubeError } from './kube-error.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { ListPage, PageRequest, WatchEvent, WatchRequest, WatchTarget } from './watch-source.ts';

/** What happened to one object of the fake cluster at one resourceVersion. */
interface Entry {
  version: number;
  type: 'added' | 'modified' | 'deleted';
  object: KubeObject;
  /** The object before, to tell a watch narrowed by labels that it left or entered the selection. */
  before: KubeObject | undefined;
}

/** The watch and paging half of the fake cluster: a log of changes per kind, which can be forgotten (`compact`). */
export class FakeHistory {
  readonly #entries = new Map<string, Entry[]>();
  readonly #snapshots = new Map<string, { rest: KubeObject[]; version: number }>();
  readonly #waiting = new Set<() => void>();
  #compactedAt = 0;
  #tokens = 0;

  record(resource: string, entry: Entry): void {
    const entries = this.#entries.get(resource);
    if (entries === undefined) this.#entries.set(resource, [entry]);
    else entries.push(entry);
    for (const wake of [...this.#waiting]) wake();
  }

  /** Forgets every version up to `version`: older watches and list pages are answered 410 Expired. */
  compact(version: number): void {
    this.#compactedAt = version;
    this.#entries.clear();
    this.#snapshots.clear();
    for (const wake of [...this.#waiting]) wake();
  }

  /** A page of `objects` as they are at `version`, or of the snapshot an earlier page began. */
  page(objects: KubeObject[], version: number, { limit, continueToken }: PageRequest): ListPage {
    const snapshot = continueToken === undefined ? { rest: objects, version } : this.#snapshots.get(continueToken);
    if (snapshot === undefined) throw expired('the continue token is too old');
    const size = limit ?? snapshot.rest.length;
    const page: ListPage = { items: snapshot.rest.slice(0, size), resourceVersion: String(snapshot.version) };
    const rest = snapshot.rest.slice(size);
    if (rest.length === 0) return page;
    const token = `page-${++this.#tokens}`;
    this.#snapshots.set(token, { rest, version: snapshot.version });
    return { ...page, continueToken: token };
  }

  /** Events after `request.resourceVersion`, for ever: the fake never ends a watch of its own accord. */
  async *watch(
    resource: string,
    target: WatchTarget,
    request: WatchRequest,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const matches = selects(target);
    let seen = Number(request.resourceVersion);
    while (!signal.aborted) {
      if (seen < this.#compactedAt) {
        yield { type: 'error', error: expired('too old resource version') };
        return;
      }
      const news = (this.#entries.get(resource) ?? []).filter((entry) => entry.version > seen);
      for (const { version, type, object, before } of news) {
        seen = version;
        const was = before !== undefined && matches(before);
        const is = type !== 'deleted' && matches(object);
        if (was || is) yield { type: is ? (was ? 'modified' : 'added') : 'deleted', object };
      }
      if (news.length === 0) await this.#news(signal);
    }
    throw signal.reason;
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}

/** Whether an object is in the namespace and under the labels of a target. */
export function selects({ selection }: Pick<WatchTarget, 'selection'>): (object: KubeObject) => boolean {
  const labelsMatch = parseLabelSelector(selection?.labelSelector ?? '');
  return ({ metadata }) =>
    (selection?.namespace === undefined || metadata.namespace === selection.namespace) &&
    labelsMatch(metadata.labels ?? {});
}

function expired(message: string): KubeError {
  return new KubeError({ status: 410, reason: 'Expired', message });
}
