import type { Principal } from '../../http/auth.ts';
import { HttpProblem } from '../../http/problem.ts';

/** The person who is signed in. @throws HttpProblem 403 where the caller is a key: it has no keys of its own */
export function personOf(principal: Principal): { readonly id: string } {
  if (principal.kind === 'person') return principal.person;
  throw new HttpProblem(403, 'not_a_person', 'personal keys are for people: sign in at the portal');
}
