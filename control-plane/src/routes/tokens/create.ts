import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { Scopes } from '../../keys/scopes.ts';
import { TOKEN_SECONDS } from '../../keys/service-token.ts';

export const createToken = route({
  method: 'post',
  path: '/v1/tokens',
  id: 'createToken',
  summary: 'Exchange a service key for a token of fifteen minutes',
  tag: 'Keys',
  access: 'key',
  body: z.strictObject({
    scopes: Scopes.optional().meta({ description: 'Fewer than the key has; absent: all of them' }),
    audience: z
      .url()
      .max(200)
      .optional()
      .meta({ description: 'Who is to accept it, by our public keys; absent: this API, and then nobody else' }),
  }),
  responses: {
    201: {
      description: 'A JWT (EdDSA). It ends at once when its key is revoked, here; elsewhere at its end',
      schema: z
        .object({
          token: z.string(),
          tokenType: z.literal('Bearer'),
          expiresInSeconds: z.int(),
          expiresAt: z.iso.datetime(),
          scopes: z.array(z.string()),
        })
        .meta({ id: 'ServiceToken' }),
    },
    403: { description: 'Not a service key, or more scopes than it has', schema: Problem },
  },
  run: async ({ tokens }, { principal, body }) => {
    if (principal.kind !== 'key' || principal.personId !== undefined) {
      const detail = 'tokens are given for service keys: a personal key is asked for at each call';
      return { status: 403, body: problem(403, 'not_a_service_key', detail) };
    }
    const { keyId, tenant, scopes: held } = principal;
    const scopes = body.scopes ?? held;
    const surplus = scopes.filter((scope) => !held.includes(scope));
    if (surplus.length > 0) {
      const detail = `the key itself has no ${surplus.join(', ')}`;
      return { status: 403, body: problem(403, 'scope_not_permitted', detail) };
    }
    const { token, expiresAt } = await tokens.issue({ keyId, tenant, scopes }, body.audience);
    return {
      status: 201,
      body: {
        token,
        tokenType: 'Bearer',
        expiresInSeconds: TOKEN_SECONDS,
        expiresAt: expiresAt.toISOString(),
        scopes,
      },
      audit: { action: 'token.create', target: `key/${keyId}`, after: { scopes, audience: body.audience ?? null } },
    };
  },
});
