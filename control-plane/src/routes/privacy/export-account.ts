import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { exportPerson } from '../../privacy/export-person.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';

export const exportAccount = route({
  method: 'get',
  path: '/v1/account/export',
  id: 'exportAccount',
  summary: 'All that is stored about oneself, as one JSON document; secrets are not in it',
  tag: 'Privacy',
  access: 'person',
  limit: 'expensive',
  streams: ['application/json'],
  responses: {
    ...PERSON_RESPONSES,
    200: { description: 'The document, with the chats that were collected. Cut off, it is no valid JSON' },
  },
  run: async ({ pool, vault }, call) => {
    const { id, email } = callerOf(call).person;
    return {
      status: 200,
      body: exportPerson(pool, vault, { id, email }),
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'content-disposition': 'attachment; filename="my-data.json"',
      },
    };
  },
});
