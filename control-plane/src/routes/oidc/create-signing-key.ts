import { z } from 'zod';
import { route } from '../../http/route.ts';
import { addSigningKey, readSigningKeys, removeOtherKeys, signsFromOfNext } from '../../oidc/signing-keys.ts';
import { SigningKeyView, signingKeyView } from './signing-key-view.ts';

const Body = z.strictObject({
  leaked: z.boolean().default(false).meta({
    description:
      'Whether a key is in the wrong hands: then the new one signs at once and all others are removed within half a minute',
  }),
});

export const createSigningKey = route({
  method: 'post',
  path: '/v1/oidc/signing-keys',
  id: 'createSigningKey',
  summary: 'Rotate the keys of the OpenID provider before their time',
  tag: 'Sign-on',
  access: 'admin',
  body: Body,
  responses: {
    201: { description: 'The new key. It signs once every chat has had the time to learn it', schema: SigningKeyView },
  },
  run: async ({ pool, vault, now }, { body }) => {
    const signsFrom = body.leaked ? now() : signsFromOfNext(now());
    const kid = await addSigningKey(pool, vault, signsFrom);
    if (body.leaked) await removeOtherKeys(pool, kid);
    const keys = await readSigningKeys(pool, vault, now());
    const made = keys.find((key) => key.kid === kid);
    if (made === undefined) throw new Error('the signing key that was just made is not there');
    return { status: 201, body: signingKeyView(made, keys[0] === made), audit: { target: `signing-key/${kid}` } };
  },
});
