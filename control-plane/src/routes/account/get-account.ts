import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { personOfId } from '../../identity/account/people.ts';
import { signInRefused } from '../../identity/account/refusals.ts';
import { AccountView, accountView } from './account-view.ts';
import { PERSON_RESPONSES } from './person-responses.ts';

export const getAccount = route({
  method: 'get',
  path: '/v1/account',
  id: 'getAccount',
  summary: 'Who is signed in: profile, ways to sign in, and the tenants they belong to',
  tag: 'Account',
  access: 'person',
  responses: { ...PERSON_RESPONSES, 200: { description: 'The account', schema: AccountView } },
  run: async ({ pool }, call) => {
    const { person: caller, session } = callerOf(call);
    const person = await personOfId(pool, caller.id);
    if (person === undefined) return signInRefused();
    return { status: 200, body: await accountView(pool, person, session) };
  },
});
