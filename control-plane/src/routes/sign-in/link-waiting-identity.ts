import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { linkWaiting } from '../../identity/social/link-waiting.ts';
import { ProviderName } from '../../identity/social/settings.ts';
import { TokenField } from '../../identity/token-field.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';

export const linkWaitingIdentity = route({
  method: 'post',
  path: '/v1/account/identities',
  id: 'linkWaitingIdentity',
  summary: 'Add the provider’s account whose sign-in found that the address has an account already',
  tag: 'Sign-in',
  access: 'person',
  body: z.strictObject({ token: TokenField.meta({ description: 'From the page state link_required' }) }),
  responses: {
    ...PERSON_RESPONSES,
    201: { description: 'Added', schema: z.object({ provider: ProviderName }).meta({ id: 'IdentityLinked' }) },
    404: { description: 'Added already, or expired', schema: Problem },
    409: { description: 'It belongs to another person or address', schema: Problem },
  },
  run: async (services, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const { person } = callerOf(call);
    const result = await linkWaiting(services, person.id, call.body.token);
    if ('status' in result) return result;
    return { status: 201, body: result, audit: { target: `person/${person.id}`, after: result } };
  },
});
