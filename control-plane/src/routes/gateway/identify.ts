import { z } from 'zod';
import { Sha256Hex } from '../../catalogue/registrations.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { gatewayTenant } from './caller.ts';

const Row = z.object({ id: z.string(), kind: z.enum(['api', 'chat']), member_id: z.string().nullable() });

/** Whose key is this? The gateway asks once per key and remembers the answer for a moment. */
export const identify = route({
  method: 'post',
  path: '/v1/gateway/identify',
  id: 'identify',
  summary: 'Tell whose key this is',
  tag: 'Gateway',
  access: 'gateway',
  body: z.strictObject({ keySha256: Sha256Hex }),
  responses: {
    200: {
      description: 'A valid key of the calling tenant',
      schema: z.object({
        kind: z.enum(['api', 'chat']),
        keyId: z.uuid(),
        userId: z.uuid().optional(),
        tenant: z.string(),
      }),
    },
    401: { description: 'No such key, revoked, expired, not for the chat, or of another tenant', schema: Problem },
  },
  run: async ({ pool, keyUse }, { body, principal }) => {
    const tenant = gatewayTenant(principal);
    const { rows } = await pool.query({
      name: 'identify_key',
      text: `select id, kind, member_id from api_key
        where sha256 = $1 and tenant_id = $2 and revoked_at is null and (expires_at is null or expires_at > now())`,
      values: [Buffer.from(body.keySha256, 'hex'), tenant.id],
    });
    if (rows[0] === undefined) {
      return { status: 401, body: problem(401, 'key_unknown', 'this key is not known, revoked or expired') };
    }
    keyUse.note(body.keySha256);
    const { id, kind, member_id } = Row.parse(rows[0]);
    const user = member_id === null ? {} : { userId: member_id };
    return { status: 200, body: { kind, keyId: id, ...user, tenant: tenant.name } };
  },
});
