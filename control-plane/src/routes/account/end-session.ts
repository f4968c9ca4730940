import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { revokeSession } from '../../identity/session/sessions.ts';
import { PERSON_RESPONSES } from './person-responses.ts';

export const endSession = route({
  method: 'delete',
  path: '/v1/account/sessions/{session}',
  id: 'endSession',
  summary: 'Sign out one of the own devices',
  tag: 'Account',
  access: 'person',
  params: z.object({ session: z.uuid() }),
  responses: {
    ...PERSON_RESPONSES,
    204: { description: 'Signed out there' },
    404: { description: 'No such session of one’s own, or it has ended', schema: Problem },
    422: { description: 'No session id', schema: Problem },
  },
  run: async ({ pool }, call) => {
    const { person } = callerOf(call);
    const ended = await revokeSession(pool, person.id, call.params.session);
    if (!ended) return { status: 404, body: problem(404, 'session_unknown', 'you have no such session any more') };
    return { status: 204, audit: { target: `session/${call.params.session}` } };
  },
});
