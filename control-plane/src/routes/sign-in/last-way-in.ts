import { type Problem, problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';

/** Nobody removes the last way to sign in. */
export function lastWayIn(): Answer & { readonly body: Problem } {
  const detail = 'this is your last way to sign in; set a password or add another one first';
  return { status: 409, body: problem(409, 'last_way_in', detail) };
}
