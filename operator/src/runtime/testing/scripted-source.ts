import type { KubeObject } from '../cluster.ts';
import type { ListPage, PageRequest, WatchEvent, WatchRequest, WatchSource, WatchTarget } from '../watch-source.ts';
import { CONFIG_MAPS } from './cluster-scenarios.ts';

/** What one request of a script is answered with: a value, or what it throws. */
export type ScriptedPage = ListPage | Error;
/** What one watch does: its events in order, then its end. `hang` says nothing more until it is aborted. */
export interface ScriptedWatch {
  events?: WatchEvent[];
  end: 'orderly' | 'hang' | Error;
}

/** A watch source that answers by a script; what the script does not foresee hangs until it is aborted. */
export class ScriptedSource implements WatchSource {
  readonly asked: string[] = [];
  /** Watches open now. */
  open = 0;
  readonly #pages: ScriptedPage[];
  readonly #watches: ScriptedWatch[];

  constructor({ pages, watches }: { pages: ScriptedPage[]; watches?: ScriptedWatch[] }) {
    this.#pages = pages;
    this.#watches = watches ?? [];
  }

  async listPage(_target: WatchTarget, { limit, continueToken }: PageRequest, signal: AbortSignal): Promise<ListPage> {
    this.asked.push(`list limit=${limit ?? 'none'} continue=${continueToken ?? 'none'}`);
    const page = this.#pages.shift() ?? (await aborted(signal));
    if (page instanceof Error) throw page;
    return { ...page, items: [...page.items] };
  }

  async *watch(_target: WatchTarget, request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    this.asked.push(`watch from=${request.resourceVersion} for=${request.timeoutSeconds}`);
    this.open++;
    try {
      const { events = [], end } = this.#watches.shift() ?? { end: 'hang' };
      yield* events;
      if (end === 'hang') await aborted(signal);
      if (end instanceof Error) throw end;
    } finally {
      this.open--;
    }
  }
}

/** A ConfigMap as a server would tell of it. */
export function stored(name: string, uid: string, resourceVersion: string): KubeObject {
  return {
    apiVersion: CONFIG_MAPS.apiVersion,
    kind: CONFIG_MAPS.kind,
    metadata: { namespace: 'home', name, uid, resourceVersion },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
