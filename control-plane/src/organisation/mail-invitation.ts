import type pg from 'pg';
import type { TenantRecord } from '../catalogue/tenant-record.ts';
import type { Services } from '../services.ts';
import type { Invitation } from './invitations.ts';

/** Queues the mail of an invitation in the transaction that makes it. */
export async function mailInvitation(
  _client: pg.PoolClient,
  _services: Services,
  _tenant: TenantRecord,
  _made: { readonly invitation: Invitation; readonly token: string },
  _inviter: string | undefined,
): Promise<void> {}
