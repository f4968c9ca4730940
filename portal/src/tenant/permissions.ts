/** What a person is in a tenant. */
export type Role = 'owner' | 'admin' | 'member' | 'billing';

/** What the pages ask about; the API decides, this only spares people a door that is closed. */
export type Deed =
  | 'members.read'
  | 'members.write'
  | 'keys.own'
  | 'keys.manage'
  | 'tenant.write'
  | 'usage.read'
  | 'owner';

const ALLOWED: Readonly<Record<Role, readonly Deed[]>> = {
  owner: ['members.read', 'members.write', 'keys.own', 'keys.manage', 'tenant.write', 'usage.read', 'owner'],
  admin: ['members.read', 'members.write', 'keys.own', 'keys.manage', 'tenant.write', 'usage.read'],
  member: ['keys.own'],
  billing: ['usage.read'],
};

/** Whether the API lets somebody of this role do it. */
export function may(role: Role | undefined, deed: Deed): boolean {
  return role !== undefined && ALLOWED[role].includes(deed);
}
