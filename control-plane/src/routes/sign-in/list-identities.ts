import { z } from 'zod';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { listIdentities } from '../../identity/social/identities.ts';
import { ProviderName } from '../../identity/social/settings.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';

const IdentityView = z
  .object({
    provider: ProviderName,
    email: z.string().meta({ description: 'What the provider said last; it opens nothing' }),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
  })
  .meta({ id: 'LinkedIdentity' });

export const listIdentitiesOfPerson = route({
  method: 'get',
  path: '/v1/account/identities',
  id: 'listIdentities',
  summary: 'The accounts at other providers that one signs in with',
  tag: 'Sign-in',
  access: 'person',
  responses: {
    ...PERSON_RESPONSES,
    200: {
      description: 'At most one of each provider',
      schema: z.object({ items: z.array(IdentityView) }).meta({ id: 'LinkedIdentities' }),
    },
  },
  run: async ({ pool }, call) => {
    const identities = await listIdentities(pool, callerOf(call).person.id);
    const items = identities.map(({ provider, email, createdAt, lastUsedAt }) => {
      return { provider, email, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt.toISOString() };
    });
    return { status: 200, body: { items } };
  },
});
