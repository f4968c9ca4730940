import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { landingOf } from '../../identity/social/landing.ts';
import { sendToProvider } from '../../identity/social/send-to-provider.ts';
import { callbackUrl, ProviderParams, providerUnknown, ReturnTo } from './provider-params.ts';

export const beginProviderSignIn = route({
  method: 'get',
  path: '/v1/sign-in/{provider}',
  id: 'beginProviderSignIn',
  summary: 'Send the browser to a provider to sign in there',
  tag: 'Sign-in',
  access: 'public',
  params: ProviderParams,
  query: z.object({ return_to: ReturnTo.optional() }),
  responses: {
    302: { description: 'To the provider, or back to the sign-in page when it does not answer' },
    404: { description: 'This provider is not set up', schema: Problem },
    422: { description: 'return_to is no path of the portal', schema: Problem },
  },
  run: async (services, { params, query, cookies }) => {
    const provider = services.providers.get(params.provider);
    if (provider === undefined) return providerUnknown();
    const redirectUri = callbackUrl(services.portalUrl, provider.name);
    const purpose = { returnTo: query.return_to, linkPersonId: undefined };
    const sent = await sendToProvider(services, provider, redirectUri, purpose, cookies);
    if (typeof sent !== 'string') return { status: 302, headers: { location: sent.url }, cookies: [sent.cookie] };
    return { status: 302, headers: { location: landingOf({ kind: 'refused', code: sent }, query.return_to) } };
  },
});
