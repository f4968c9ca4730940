import { z } from 'zod';
import { route } from '../../http/route.ts';

/** Seconds that a verifier may keep the keys: a new one is published for longer before it signs. */
const MAX_AGE_SECONDS = 900;

export const getTokenKeys = route({
  method: 'get',
  path: '/.well-known/jwks.json',
  id: 'getTokenKeys',
  summary: 'The public keys that service tokens are verified with (RFC 7517)',
  tag: 'Keys',
  access: 'public',
  responses: {
    200: {
      description: 'All keys that a living token may be signed with, and the next one',
      schema: z
        .object({
          keys: z.array(
            z.object({
              kty: z.literal('OKP'),
              crv: z.literal('Ed25519'),
              x: z.string(),
              kid: z.string(),
              use: z.literal('sig'),
              alg: z.literal('EdDSA'),
            }),
          ),
        })
        .meta({ id: 'TokenKeys' }),
    },
  },
  run: async ({ tokens }) => ({
    status: 200,
    body: { keys: await tokens.publicKeys() },
    headers: { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` },
  }),
});
