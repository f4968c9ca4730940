import { z } from 'zod';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { IDLE_DAYS } from '../../identity/session/sessions.ts';
import { PERSON_RESPONSES } from './person-responses.ts';
import { SessionView, sessionView } from './session-view.ts';

export const listSessions = route({
  method: 'get',
  path: '/v1/account/sessions',
  id: 'listSessions',
  summary: 'Where one is signed in, last used first; a person has a few sessions at most, so there are no pages',
  tag: 'Account',
  access: 'person',
  responses: {
    ...PERSON_RESPONSES,
    200: { description: 'All of them', schema: z.object({ items: z.array(SessionView) }).meta({ id: 'Sessions' }) },
  },
  run: async ({ pool }, call) => {
    const { person, session } = callerOf(call);
    const { rows } = await pool.query(
      `select id, methods, host(address) as address, user_agent, created_at, last_seen_at, expires_at from session
       where person_id = $1 and revoked_at is null and expires_at > now()
         and last_seen_at > now() - make_interval(days => $2)
       order by last_seen_at desc, id`,
      [person.id, IDLE_DAYS],
    );
    return { status: 200, body: { items: rows.map((row) => sessionView(row, session.id)) } };
  },
});
