import type { HeldField } from '../api/tenants.ts';

/** The field manager under which this portal writes: `PORTAL_MANAGER` of the control plane. */
const OURS = 'cloudfreedom-portal';

/** Who else states a field; undefined where nobody does, so that it can be changed here. */
export function foreignManagerOf(fields: readonly HeldField[], path: string): string | undefined {
  const holders = fields.find((field) => field.path === path)?.holders ?? [];
  return holders.find(({ manager }) => manager !== OURS)?.manager;
}
