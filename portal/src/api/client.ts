import { createApiClient } from '@cloudfreedom/control-plane/client/client.ts';

/** The API on our own origin, with the session's cookie. */
export const api = createApiClient();

export { ApiProblem, dataOf, idempotencyKey } from '@cloudfreedom/control-plane/client/client.ts';
