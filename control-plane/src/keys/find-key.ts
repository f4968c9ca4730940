import type pg from 'pg';
import { z } from 'zod';
import { Role } from '../http/permissions.ts';
import { KnownScopes, type Scope, scopesOfRole } from './scopes.ts';

const Row = z.object({
  id: z.string(),
  tenant: z.string(),
  person_id: z.string().nullable(),
  scopes: KnownScopes,
  /** What its person is in the tenant at this moment. */
  role: Role.nullable(),
});

/** A live key, and what it may do at this moment: a personal one no more than its person's role. */
export type FoundKey = {
  readonly keyId: string;
  /** The tenant's name. */
  readonly tenant: string;
  readonly personId: string | undefined;
  readonly scopes: readonly Scope[];
};

/** The key whose secret has this hash, if it is neither revoked nor expired and its tenant still exists. */
export async function findKey(pool: pg.Pool, sha256: Buffer): Promise<FoundKey | undefined> {
  const { rows } = await pool.query({
    name: 'find_key',
    text: `select k.id, t.name as tenant, k.person_id, k.scopes, m.role
      from api_key k join tenant t on t.id = k.tenant_id
      left join membership m on m.tenant_id = k.tenant_id and m.person_id = k.person_id
      where (k.sha256 = $1 or k.api_only_sha256 = $1) and k.kind = 'api' and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > now()) and t.state <> 'erased'
        and (k.person_id is null or m.role is not null)`,
    values: [sha256],
  });
  if (rows[0] === undefined) return undefined;
  const { id, tenant, person_id, scopes, role } = Row.parse(rows[0]);
  const allowed = role === null ? scopes : scopes.filter((scope) => scopesOfRole(role).includes(scope));
  return { keyId: id, tenant, personId: person_id ?? undefined, scopes: allowed };
}
