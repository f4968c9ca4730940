import { z } from 'zod';

/** What may be done in a tenant. One word per thing that somebody would want to allow or forbid. */
export const Permission = z.enum([
  'tenant.read',
  'tenant.write',
  'budget.read',
  'usage.read',
  'members.read',
  'members.write',
  /** A member's own keys. */
  'keys.own',
  /** All keys of the tenant, those of machines included. */
  'keys.manage',
  'billing.read',
  'billing.write',
  'audit.read',
  'files.read',
  'files.write',
  'webhook.manage',
  /** What only an owner may do: hand the tenant over, delete it. */
  'owner',
]);
export type Permission = z.output<typeof Permission>;

/** What a person is in a tenant. */
export const Role = z.enum(['owner', 'admin', 'member', 'billing']);
export type Role = z.output<typeof Role>;

const EVERYTHING = Permission.options;
const OF_OWNERS: readonly Permission[] = ['owner', 'billing.write'];

/**
 * The one table of who may do what.
 *
 * A member sees the budget they live on and nothing of what others use: lists of usage, ledger, events and exports name
 * people, so all of them are `usage.read`. Of the alerts, which come with `budget.read`, members see the tenant's own,
 * without who was told of them.
 * What keys may do at most is in `keys/scopes.ts`.
 */
export const ROLE_PERMISSIONS: Record<Role, ReadonlySet<Permission>> = {
  owner: new Set(EVERYTHING),
  admin: new Set(EVERYTHING.filter((permission) => !OF_OWNERS.includes(permission))),
  billing: new Set(['tenant.read', 'budget.read', 'usage.read', 'billing.read', 'billing.write', 'files.read']),
  member: new Set(['tenant.read', 'budget.read', 'keys.own', 'files.read']),
};

/** Roles that chat, and so take one of the plan's seats. */
export const ROLES_WITH_SEAT: ReadonlySet<Role> = new Set(['owner', 'admin', 'member']);
