import type { Role } from './permissions.ts';

/** What a key can be allowed, in the order in which a page offers it. */
export const scopes = [
  'chat',
  'budget.read',
  'usage.read',
  'tenant.read',
  'tenant.write',
  'members.read',
  'members.write',
  'keys.manage',
  'files.read',
  'files.write',
  'audit.read',
  'webhook.manage',
  'billing.read',
  'billing.write',
] as const;
export type Scope = (typeof scopes)[number];

const MEMBERS: readonly Scope[] = ['chat', 'budget.read', 'tenant.read', 'files.read'];
const BILLING: readonly Scope[] = [
  'budget.read',
  'usage.read',
  'tenant.read',
  'files.read',
  'billing.read',
  'billing.write',
];

/** What somebody of this role may allow a key: never more than they may do themselves. The API judges it again. */
export function scopesOf(role: Role | undefined): readonly Scope[] {
  switch (role) {
    case 'owner':
      return scopes;
    case 'admin':
      return scopes.filter((scope) => scope !== 'billing.write');
    case 'billing':
      return BILLING;
    case 'member':
      return MEMBERS;
    default:
      return [];
  }
}
