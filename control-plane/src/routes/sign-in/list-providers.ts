import { z } from 'zod';
import { route } from '../../http/route.ts';
import { PROVIDER_TITLES, ProviderName } from '../../identity/social/settings.ts';

const ProvidersView = z
  .object({ items: z.array(z.object({ provider: ProviderName, title: z.string() })) })
  .meta({ id: 'SignInProviders' });

export const listProviders = route({
  method: 'get',
  path: '/v1/sign-in/providers',
  id: 'listSignInProviders',
  summary: 'Providers whose accounts one can sign in with here',
  tag: 'Sign-in',
  access: 'public',
  responses: { 200: { description: 'Those that are set up', schema: ProvidersView } },
  run: async ({ providers }) => {
    const items = [...providers.keys()].map((provider) => ({ provider, title: PROVIDER_TITLES[provider] }));
    return { status: 200, body: { items } };
  },
});
