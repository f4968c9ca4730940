import { z } from 'zod';

/** What a person is in a tenant. There is at least one owner as soon as anybody belongs to it. */
export const Role = z.enum(['owner', 'admin', 'member', 'billing']);
export type Role = z.output<typeof Role>;

/** Roles that are given and taken; ownership is handed over. */
export const GivenRole = z.enum(['admin', 'member', 'billing']);
export type GivenRole = z.output<typeof GivenRole>;

/** Whether a role comes with a seat: with a chat, with keys, and with a place among the plan's members. */
export function takesSeat(role: Role): boolean {
  return role !== 'billing';
}
