import type { KubeObject } from './cluster.ts';
import { isExpired } from './kube-error.ts';
import type { WatchSource, WatchTarget } from './watch-source.ts';

/** Times a list begins anew because the version it was paging through expired; then everything is asked for at once. */
export const MAX_PAGING_RESTARTS = 2;

/**
 * Lists page by page. A 410 between two pages begins anew; after `MAX_PAGING_RESTARTS` of them everything is asked for
 * at once, lest a big cluster with short memory is never listed.
 */
export async function listAll(
  source: Pick<WatchSource, 'listPage'>,
  target: WatchTarget,
  pageSize: number,
  signal: AbortSignal,
): Promise<{ items: KubeObject[]; resourceVersion: string }> {
  for (let restarts = 0; ; restarts++) {
    const limit = restarts < MAX_PAGING_RESTARTS ? { limit: pageSize } : {};
    try {
      let page = await source.listPage(target, limit, signal);
      const items = page.items;
      while (page.continueToken !== undefined) {
        page = await source.listPage(target, { ...limit, continueToken: page.continueToken }, signal);
        for (const item of page.items) items.push(item);
      }
      return { items, resourceVersion: page.resourceVersion };
    } catch (error) {
      if (!isExpired(error) || restarts >= MAX_PAGING_RESTARTS) throw error;
    }
  }
}
