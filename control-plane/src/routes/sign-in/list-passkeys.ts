import { z } from 'zod';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { listPasskeys } from '../../identity/passkey/passkeys.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { PasskeyView, passkeyView } from './passkey-view.ts';

export const listPasskeysOfPerson = route({
  method: 'get',
  path: '/v1/account/passkeys',
  id: 'listPasskeys',
  summary: 'The passkeys of who is signed in',
  tag: 'Second factors',
  access: 'person',
  responses: {
    ...PERSON_RESPONSES,
    200: { description: 'All of them', schema: z.object({ items: z.array(PasskeyView) }).meta({ id: 'Passkeys' }) },
  },
  run: async ({ pool }, call) => {
    const passkeys = await listPasskeys(pool, callerOf(call).person.id);
    return { status: 200, body: { items: passkeys.map(passkeyView) } };
  },
});
