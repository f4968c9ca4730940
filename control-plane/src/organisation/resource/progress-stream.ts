import { isDeepStrictEqual } from 'node:util';
import type { TenantResources } from '../../kubernetes/tenant-resources.ts';
import { type Progress, progressOf } from './progress.ts';

/** Milliseconds of silence after which a comment shows that the connection lives. */
const HEARTBEAT_MS = 15_000;
/** Milliseconds a browser waits until it connects anew. */
const CLIENT_RETRY_MS = 2_000;

export type ProgressStreamOptions = {
  readonly resources: TenantResources;
  readonly tenant: string;
  readonly signal: AbortSignal;
  readonly heartbeatMs?: number;
};

/**
 * A tenant's progress as server-sent events: where it is now, then every change, until `signal` is aborted. Only the
 * newest state counts, so a slow reader is told of fewer, never of older ones. `gone` says that the Tenant is no more.
 */
export async function* progressStream(options: ProgressStreamOptions): AsyncGenerator<string> {
  const { resources, tenant, signal } = options;
  let news: Progress | 'gone' | undefined;
  let wake = () => {};
  const stop = resources.subscribe(({ type, object }) => {
    if (object.metadata.name !== tenant) return;
    news = type === 'deleted' ? 'gone' : progressOf(object);
    wake();
  });
  const abort = () => wake();
  signal.addEventListener('abort', abort);
  try {
    yield `retry: ${CLIENT_RETRY_MS}\n\n`;
    for (let told: Progress | 'gone' | undefined; !signal.aborted; ) {
      if (news !== undefined && !isDeepStrictEqual(news, told)) {
        told = news;
        yield told === 'gone' ? `event: gone\ndata: ${JSON.stringify({ tenant })}\n\n` : event(told);
        continue;
      }
      const rang = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), options.heartbeatMs ?? HEARTBEAT_MS);
        wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
      if (!rang) yield ': still here\n\n';
    }
  } finally {
    stop();
    signal.removeEventListener('abort', abort);
  }
}

function event(progress: Progress): string {
  return `event: progress\ndata: ${JSON.stringify(progress)}\n\n`;
}
