import type pg from 'pg';
import { z } from 'zod';
import type { Principal } from '../../http/auth.ts';
import { type Permission, ROLE_PERMISSIONS, Role } from '../../http/permissions.ts';
import { PORTAL_FIELDS } from './portal-fields.ts';

/** What a caller may do to one tenant. */
export type Rights = {
  readonly may: (permission: Permission) => boolean;
  /** They are the platform's administration. */
  readonly platform: boolean;
};

/** The rights of a caller who was let in by a permission, with the role they have. */
export function rightsOf(principal: Principal, role: Role | undefined): Rights {
  if (principal.kind === 'admin') return EVERYTHING;
  if (principal.kind === 'person') {
    if (principal.person.platformAdmin) return EVERYTHING;
    return { may: (permission) => role !== undefined && ROLE_PERMISSIONS[role].has(permission), platform: false };
  }
  const scopes: readonly string[] = principal.kind === 'key' || principal.kind === 'service' ? principal.scopes : [];
  return { may: (permission) => scopes.includes(permission), platform: false };
}

/** Whether somebody with these rights may change a field of the spec. */
export function mayChange(field: string, { may, platform }: Rights): boolean {
  const right = PORTAL_FIELDS[field];
  if (right === undefined) return false;
  return platform || (right !== 'platform' && may(right));
}

const EVERYTHING: Rights = { may: () => true, platform: true };
const Row = z.object({ role: Role });

/**
 * The rights of a person in a tenant that may not be registered yet: whoever wished it is its owner from the beginning.
 * @returns undefined where there is no such tenant for them
 */
export async function rightsInNewTenant(
  pool: pg.Pool,
  principal: Principal,
  tenant: string,
): Promise<Rights | undefined> {
  if (principal.kind !== 'person') return undefined;
  if (principal.person.platformAdmin) return EVERYTHING;
  const { rows } = await pool.query(
    `select s.role from membership s join tenant t on t.id = s.tenant_id
     where t.name = $1 and s.person_id = $2 and t.state <> 'erased'
     union all
     select 'owner' from tenant_request where name = $1 and person_id = $2 limit 1`,
    [tenant, principal.person.id],
  );
  return rows[0] === undefined ? undefined : rightsOf(principal, Row.parse(rows[0]).role);
}
