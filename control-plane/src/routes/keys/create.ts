import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { hashSecret } from '../../http/auth.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { KeyView, keyView } from './key-view.ts';

/** 256 bits: 43 base64url characters after the prefix. Nobody guesses it, so a plain sha-256 of it may be stored. */
const SECRET_BYTES = 32;
const PREFIX = 'cf-';

export const createKey = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/keys',
  id: 'createKey',
  summary: 'Issue an API key; its secret is shown this once',
  tag: 'Keys',
  access: 'admin',
  params: TenantParams,
  body: z.strictObject({
    name: z.string().min(1).max(100),
    userId: z.uuid().optional(),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  }),
  responses: {
    201: { description: 'Issued', schema: KeyView.extend({ key: z.string() }).meta({ id: 'IssuedKey' }) },
    404: { description: 'No such tenant', schema: Problem },
    422: { description: 'No such user in this tenant, or already expired', schema: Problem },
  },
  run: (services, { params, body }) =>
    withTenant(services, params.tenant, async (tenant) => {
      if (body.expiresAt !== undefined && new Date(body.expiresAt).getTime() <= Date.now()) {
        return invalid('expiresAt', 'lies in the past');
      }
      const key = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
      const { rows } = await services.pool.query(
        `insert into api_key (tenant_id, member_id, kind, name, sha256, expires_at)
         select $1, $2, 'api', $3, $4, $5
         where $2::uuid is null or exists (select 1 from member where id = $2 and tenant_id = $1) returning *`,
        [tenant.id, body.userId ?? null, body.name, hashSecret(key), body.expiresAt ?? null],
      );
      if (rows[0] === undefined) return invalid('userId', 'is no user of this tenant');
      return { status: 201, body: { ...keyView(rows[0]), key } };
    }),
});

function invalid(path: string, message: string) {
  const body = problem(422, 'invalid_input', `${path}: ${message}`, { errors: [{ path, message }] });
  return { status: 422, body };
}
