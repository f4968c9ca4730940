import { problem } from '../../http/problem.ts';
import type { Call } from '../../http/route.ts';
import type { Refusal } from './refusals.ts';

/** Minutes within which a person must have proved who they are, for what cannot be undone easily. */
export const RECENT_MINUTES = 15;

/**
 * For sensitive operations: a browser left open must not be enough. Call it first and answer what it returns.
 * @returns undefined when the person of the session proved who they are recently
 */
export function requireRecent(
  { principal }: Pick<Call<unknown, unknown, unknown>, 'principal'>,
  now: Date = new Date(),
): Refusal | undefined {
  const since = principal.kind === 'person' ? principal.session.authenticatedAt.getTime() : 0;
  if (now.getTime() - since <= RECENT_MINUTES * 60_000) return undefined;
  const detail = 'prove once more who you are (POST /v1/account/reauthentications), then repeat this call';
  return { status: 403, body: problem(403, 'reauthentication_required', detail) };
}
