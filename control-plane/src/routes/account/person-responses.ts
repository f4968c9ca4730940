import { Problem } from '../../http/problem.ts';

/** What every route for people may answer, beside its own. */
export const PERSON_RESPONSES = {
  401: { description: 'Not signed in', schema: Problem },
  403: { description: 'Not for this caller, from another site, or the sign-in was too long ago', schema: Problem },
};
