import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { sendToProvider } from '../../identity/social/send-to-provider.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { callbackUrl, ProviderParams, providerUnknown, ReturnTo } from './provider-params.ts';

export const beginLink = route({
  method: 'post',
  path: '/v1/account/identities/{provider}',
  id: 'beginIdentityLink',
  summary: 'Begin to add an account at a provider as a way to sign in',
  tag: 'Sign-in',
  access: 'person',
  params: ProviderParams,
  body: z.strictObject({ returnTo: ReturnTo.optional() }),
  responses: {
    ...PERSON_RESPONSES,
    200: {
      description: 'Where to send the browser; it comes back signed in as before',
      schema: z.object({ url: z.url() }).meta({ id: 'ProviderVisit' }),
    },
    404: { description: 'This provider is not set up', schema: Problem },
    503: { description: 'The provider does not answer', schema: Problem },
  },
  run: async (services, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const provider = services.providers.get(call.params.provider);
    if (provider === undefined) return providerUnknown();
    const { person } = callerOf(call);
    const redirectUri = callbackUrl(services.portalUrl, provider.name);
    const purpose = { returnTo: call.body.returnTo, linkPersonId: person.id };
    const sent = await sendToProvider(services, provider, redirectUri, purpose, call.cookies);
    if (typeof sent === 'string') {
      return { status: 503, body: problem(503, 'provider_away', 'the provider does not answer; try again later') };
    }
    const audit = { target: `person/${person.id}`, after: { provider: provider.name } };
    return { status: 200, body: { url: sent.url }, cookies: [sent.cookie], audit };
  },
});
