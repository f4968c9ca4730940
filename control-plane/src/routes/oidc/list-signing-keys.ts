import { z } from 'zod';
import { route } from '../../http/route.ts';
import { readSigningKeys } from '../../oidc/signing-keys.ts';
import { SigningKeyView, signingKeyView } from './signing-key-view.ts';

export const listSigningKeys = route({
  method: 'get',
  path: '/v1/oidc/signing-keys',
  id: 'listSigningKeys',
  summary: 'Keys of the OpenID provider, the one that signs first',
  tag: 'Sign-on',
  access: 'admin',
  responses: { 200: { description: 'All of them', schema: z.strictObject({ items: z.array(SigningKeyView) }) } },
  run: async ({ pool, vault, now }) => {
    const keys = await readSigningKeys(pool, vault, now());
    return { status: 200, body: { items: keys.map((key, place) => signingKeyView(key, place === 0)) } };
  },
});
