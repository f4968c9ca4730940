import type { Principal } from '../../http/auth.ts';
import type { Call } from '../../http/route.ts';

/** The person who calls a route that only people may call. */
export function callerOf({
  principal,
}: Pick<Call<unknown, unknown, unknown>, 'principal'>): Extract<Principal, { kind: 'person' }> {
  if (principal.kind !== 'person') throw new Error(`a route for people was called by ${principal.kind}`);
  return principal;
}
