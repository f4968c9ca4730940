import { z } from 'zod';
import { TenantRegistration } from './registrations.ts';

/** A tenant as it is stored. */
export type TenantRecord = {
  readonly id: bigint;
  /** The account that its requests are held against. */
  readonly account: bigint;
  readonly name: string;
  /** Grows with each change; the ledger turns down decisions made from an older one. */
  readonly revision: bigint;
  readonly state: 'open' | 'closed';
  readonly registration: TenantRegistration;
};

export const TENANT_COLUMNS = `t.id, a.id as account, t.name, t.revision, t.state, t.registration
  from tenant t join account a on a.tenant_id = t.id`;

const Row = z.object({
  id: z.bigint(),
  account: z.bigint(),
  name: z.string(),
  revision: z.bigint(),
  state: z.enum(['open', 'closed']),
  registration: TenantRegistration,
});

export function tenantRecord(row: unknown): TenantRecord {
  return Row.parse(row);
}
