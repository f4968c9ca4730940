import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { revokeSessions } from '../../identity/session/sessions.ts';
import { PERSON_RESPONSES } from './person-responses.ts';

export const endOtherSessions = route({
  method: 'delete',
  path: '/v1/account/sessions',
  id: 'endOtherSessions',
  summary: 'Sign out all other devices',
  tag: 'Account',
  access: 'person',
  responses: { ...PERSON_RESPONSES, 204: { description: 'Signed out everywhere else' } },
  run: async ({ pool }, call) => {
    const { person, session } = callerOf(call);
    await revokeSessions(pool, person.id, session.id);
    return { status: 204, audit: { target: `person/${person.id}` } };
  },
});
