import type pg from 'pg';
import { z } from 'zod';
import type { Scope } from '../keys/scopes.ts';
import type { Principal } from './auth.ts';
import { type Permission, ROLE_PERMISSIONS, Role } from './permissions.ts';
import { HttpProblem } from './problem.ts';

/**
 * Who may call a route. `admin` is the platform's admin key or a platform admin who is signed in; `operator` admits the
 * admin too; `gateway` a tenant's gateway credential and nothing else; `person` anybody who is signed in; `key` any
 * key of a tenant. A permission is judged in the tenant that the address names: persons by their role there, keys and
 * tokens by their scopes, in their own tenant only.
 */
export type Access = 'public' | 'operator' | 'admin' | 'gateway' | 'person' | 'key' | Permission;

const NEEDED: Partial<Record<Access, string>> = {
  operator: 'this needs the operator key or the admin key',
  admin: 'this needs the admin key',
  gateway: "this needs a tenant's gateway credential",
  person: 'this is for people: sign in at the portal',
  key: "this needs one of a tenant's keys",
};

/**
 * Lets a caller in or turns them away.
 * @param tenant the name that the address gives; not checked yet
 * @returns the person's role in that tenant, where they have one
 * @throws HttpProblem 401 without a valid credential, 403 with one that does not suffice, 404 for a tenant one is not in
 */
export async function admit(
  principal: Principal | undefined,
  { access, operatorToo }: { readonly access: Access; readonly operatorToo: boolean },
  tenant: string | undefined,
  pool: pg.Pool,
): Promise<Role | undefined> {
  if (access === 'public') return undefined;
  if (principal === undefined || principal.kind === 'anonymous') {
    throw new HttpProblem(401, 'key_unknown', 'sign in, or send a valid key as "Authorization: Bearer <key>"');
  }
  const isAdmin = principal.kind === 'admin' || (principal.kind === 'person' && principal.person.platformAdmin);
  switch (access) {
    case 'admin':
      return isAdmin ? undefined : turnAway(access);
    case 'operator':
      return isAdmin || principal.kind === 'operator' ? undefined : turnAway(access);
    case 'gateway':
      return principal.kind === 'gateway' ? undefined : turnAway(access);
    case 'person':
      return principal.kind === 'person' || (operatorToo && (isAdmin || principal.kind === 'operator'))
        ? undefined
        : turnAway(access);
    case 'key':
      return principal.kind === 'key' ? undefined : turnAway(access);
    default: {
      if (tenant === undefined) throw new Error(`a route that needs ${access} names no tenant`);
      if (principal.kind === 'person') return roleWith(principal.person, access, tenant, pool);
      if (principal.kind === 'key' || principal.kind === 'service') return scopeWith(principal, access, tenant);
      return isAdmin || (operatorToo && principal.kind === 'operator') ? undefined : turnAway(access);
    }
  }
}

/** Whether someone who was let in may do something else in this tenant, too. */
export function allows(principal: Principal, role: Role | undefined, permission: Permission): boolean {
  switch (principal.kind) {
    case 'admin':
      return true;
    case 'person':
      return principal.person.platformAdmin || (role !== undefined && ROLE_PERMISSIONS[role].has(permission));
    case 'key':
    case 'service':
      return permits(principal.scopes, permission);
    default:
      return false;
  }
}

function permits(scopes: readonly Scope[], permission: Permission): boolean {
  return (scopes as readonly string[]).includes(permission);
}

function scopeWith(
  key: { readonly tenant: string; readonly scopes: readonly Scope[] },
  permission: Permission,
  tenant: string,
): undefined {
  if (key.tenant !== tenant) throw new HttpProblem(404, 'tenant_unknown', `there is no tenant "${tenant}"`);
  if (permits(key.scopes, permission)) return undefined;
  throw new HttpProblem(403, 'not_permitted', `this key lacks the scope ${permission}; make one that has it`);
}

function turnAway(access: Access): never {
  const needed = NEEDED[access] ?? `this needs a key that allows ${access}`;
  throw new HttpProblem(403, 'key_not_allowed', `this key is for another part of the API; ${needed}`);
}

const Row = z.object({ role: Role });

async function roleWith(
  person: { readonly id: string; readonly platformAdmin: boolean },
  permission: Permission,
  tenant: string,
  pool: pg.Pool,
): Promise<Role | undefined> {
  const { rows } = await pool.query({
    name: 'role_in_tenant',
    text: `select m.role from membership m join tenant t on t.id = m.tenant_id
      where m.person_id = $1 and t.name = $2 and t.state <> 'erased'`,
    values: [person.id, tenant],
  });
  const role = rows[0] === undefined ? undefined : Row.parse(rows[0]).role;
  if (person.platformAdmin) return role;
  // Whether a tenant exists is nobody's business but its members'.
  if (role === undefined) throw new HttpProblem(404, 'tenant_unknown', `there is no tenant "${tenant}"`);
  if (ROLE_PERMISSIONS[role].has(permission)) return role;
  throw new HttpProblem(403, 'not_permitted', `your role "${role}" does not allow this (${permission}); ask an owner`);
}
