import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { unlinkIdentity } from '../../identity/social/identities.ts';
import { PROVIDER_TITLES } from '../../identity/social/settings.ts';
import { tellOfSignInChange } from '../../identity/tell-person.ts';
import { isLastWayIn, lockWaysIn } from '../../identity/ways-in.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { lastWayIn } from './last-way-in.ts';
import { ProviderParams } from './provider-params.ts';

export const unlinkIdentityOfPerson = route({
  method: 'delete',
  path: '/v1/account/identities/{provider}',
  id: 'unlinkIdentity',
  summary: 'Stop signing in with a provider’s account',
  tag: 'Sign-in',
  access: 'person',
  params: ProviderParams,
  responses: {
    ...PERSON_RESPONSES,
    204: { description: 'Removed' },
    404: { description: 'No account of this provider is linked', schema: Problem },
    409: { description: 'It is the last way to sign in', schema: Problem },
  },
  run: async (services, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const { person } = callerOf(call);
    const { provider } = call.params;
    return inTransaction(services.pool, async (client) => {
      const ways = await lockWaysIn(client, person.id);
      if (!ways.identities.includes(provider)) {
        return { status: 404, body: problem(404, 'identity_unknown', 'no account of this provider is linked') };
      }
      if (isLastWayIn(ways)) return lastWayIn();
      await unlinkIdentity(client, person.id, provider);
      await tellOfSignInChange(client, services, person, 'identity_unlinked', PROVIDER_TITLES[provider]);
      return { status: 204, audit: { target: `person/${person.id}`, before: { provider } } };
    });
  },
});
