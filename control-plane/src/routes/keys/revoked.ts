import type { Answer } from '../../http/route.ts';
import { keyView } from './key-view.ts';

/** The answer to a revocation. */
export function revoked(row: unknown): Answer {
  const view = keyView(row);
  return { status: 204, audit: { action: 'key.revoke', target: `key/${view.id}`, after: view } };
}
