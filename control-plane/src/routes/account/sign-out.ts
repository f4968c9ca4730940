import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { noSessionCookie } from '../../identity/session/session-cookie.ts';
import { revokeSession } from '../../identity/session/sessions.ts';
import { PERSON_RESPONSES } from './person-responses.ts';

export const signOut = route({
  method: 'delete',
  path: '/v1/account/sessions/current',
  id: 'signOut',
  summary: 'Sign out here',
  tag: 'Account',
  access: 'person',
  responses: { ...PERSON_RESPONSES, 204: { description: 'Signed out' } },
  run: async ({ pool }, call) => {
    const { person, session } = callerOf(call);
    await revokeSession(pool, person.id, session.id);
    return { status: 204, cookies: [noSessionCookie()], audit: { target: `session/${session.id}` } };
  },
});
