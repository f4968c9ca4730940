import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { personOfId } from '../../identity/account/people.ts';
import { provePassword } from '../../identity/account/prove-password.ts';
import { signInRefused } from '../../identity/account/refusals.ts';
import { TypedPassword } from '../../identity/password-rules.ts';
import { renewAuthentication } from '../../identity/session/sessions.ts';
import { PERSON_RESPONSES } from './person-responses.ts';

export const reauthenticate = route({
  method: 'post',
  path: '/v1/account/reauthentications',
  id: 'reauthenticate',
  summary: 'Prove by the password once more who one is, for what needs a recent proof',
  tag: 'Account',
  access: 'person',
  body: z.strictObject({ password: TypedPassword }),
  responses: {
    ...PERSON_RESPONSES,
    204: { description: 'Proved; good for a quarter of an hour' },
    401: { description: 'Not signed in, or the password is wrong', schema: Problem },
    429: { description: 'Too many attempts', schema: Problem },
    503: { description: 'Too many sign in at this moment', schema: Problem },
  },
  run: async (services, call) => {
    const { person: caller, session } = callerOf(call);
    const person = await personOfId(services.pool, caller.id);
    if (person === undefined) return signInRefused();
    const refusal = await provePassword(services, person, call.body.password);
    if (refusal !== undefined) return refusal;
    await renewAuthentication(services.pool, session.id);
    return { status: 204, audit: { target: `person/${person.id}` } };
  },
});
