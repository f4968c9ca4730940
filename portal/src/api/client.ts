import { createApiClient } from '@cloudfreedom/control-plane/client/client.ts';

/** The API on our own origin, with the session's cookie. */
export const api = createApiClient() as unknown as LooseClient;

// Until the routes that the pages use are all on main; their types are in types.ts.
type LooseCall = (
  path: string,
  init?: { params?: { path?: unknown; query?: unknown; header?: unknown }; body?: unknown },
  // biome-ignore lint/suspicious/noExplicitAny: each function of this folder states what its answer is
) => Promise<{ data?: any; error?: unknown; response: Response }>;
type LooseClient = Record<'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE', LooseCall>;

export { ApiProblem, dataOf, idempotencyKey } from '@cloudfreedom/control-plane/client/client.ts';
