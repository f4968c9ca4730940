import { z } from 'zod';
import { ROLES_WITH_SEAT, type Role } from '../http/permissions.ts';

/** Roles that are given and taken; ownership is handed over. */
export const GivenRole = z.enum(['admin', 'member', 'billing']);
export type GivenRole = z.output<typeof GivenRole>;

/** Whether a role comes with a seat: with a chat, with keys, and with a place among the plan's members. */
export function takesSeat(role: Role): boolean {
  return ROLES_WITH_SEAT.has(role);
}
