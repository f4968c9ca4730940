import { z } from 'zod';
import type { Principal } from '../http/auth.ts';
import { Permission, ROLE_PERMISSIONS, ROLES_WITH_SEAT, type Role } from '../http/permissions.ts';

/** What no key may do: being somebody, and what ends or gives away the tenant. */
const FOR_PEOPLE_ONLY = ['keys.own', 'owner'] as const;

/** What a key may do: `chat` is the use of models at the gateway, all others are permissions of the API. */
export const Scope = z.enum(['chat', ...Permission.exclude(FOR_PEOPLE_ONLY).options]);
export type Scope = z.output<typeof Scope>;

/** Scopes as they were stored or signed. One that a later version knew is left out: this one grants nothing by it. */
export const KnownScopes = z
  .array(z.string())
  .transform((stored) => Scope.options.filter((scope) => stored.includes(scope)));

/** The scopes a key is asked for with: each once, in one order. */
export const Scopes = z
  .array(Scope)
  .min(1)
  .max(Scope.options.length)
  .transform((asked) => Scope.options.filter((scope) => asked.includes(scope)));

/** The most that a role may let a key do. */
export function scopesOfRole(role: Role): readonly Scope[] {
  return Scope.options.filter((scope) =>
    scope === 'chat' ? ROLES_WITH_SEAT.has(role) : ROLE_PERMISSIONS[role].has(scope),
  );
}

/** The most that a caller may give a key: never more than they may do themselves. */
export function scopesOfCaller(principal: Principal, role: Role | undefined): readonly Scope[] {
  switch (principal.kind) {
    case 'admin':
      return Scope.options;
    case 'person':
      if (principal.person.platformAdmin) return Scope.options;
      return role === undefined ? [] : scopesOfRole(role);
    case 'key':
    case 'service':
      return principal.scopes;
    default:
      return [];
  }
}
