import type { TenantRecord } from '../../catalogue/tenant-record.ts';
import type { Principal } from '../../http/auth.ts';

/** The tenant that calls. It comes from the credential alone: no body or header can name another. */
export function gatewayTenant(principal: Principal): TenantRecord {
  if (principal.kind !== 'gateway') throw new Error('a gateway route was reached without a gateway credential');
  return principal.tenant;
}
