import { z } from 'zod';
import { DnsLabel, TenantRegistration } from '../../catalogue/registrations.ts';
import type { TenantRecord } from '../../catalogue/tenant-record.ts';
import { type Problem, problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';
import type { Budget } from '../../ledger/ledger.ts';
import { NanoEur } from '../../pricing/money.ts';
import type { Services } from '../../services.ts';

export const TenantParams = z.strictObject({ tenant: DnsLabel });

export const BudgetView = z
  .object({
    tenant: z.string(),
    period: z.string().meta({ description: 'Month in the tenant’s time zone', example: '2026-11' }),
    currency: z.literal('EUR'),
    grantedNanoEur: NanoEur,
    postedNanoEur: NanoEur,
    heldNanoEur: NanoEur.meta({ description: 'The most that requests under way can still cost' }),
    leasedNanoEur: NanoEur.meta({ description: 'Held by gateways in advance, for outages' }),
    availableNanoEur: NanoEur,
    overrunNanoEur: NanoEur,
    resetsAt: z.iso.datetime(),
  })
  .meta({ id: 'Budget', description: 'The present period. available = granted - posted - held - leased' });

export const TenantView = z
  .object({ tenant: z.string(), state: z.enum(['open', 'closed']), ...TenantRegistration.shape, budget: BudgetView })
  .meta({ id: 'Tenant' });

export function budgetView(tenant: string, budget: Budget): z.input<typeof BudgetView> {
  return {
    tenant,
    period: budget.period,
    currency: 'EUR',
    grantedNanoEur: budget.grantedNanoEur.toString(),
    postedNanoEur: budget.postedNanoEur.toString(),
    heldNanoEur: budget.heldNanoEur.toString(),
    leasedNanoEur: budget.leasedNanoEur.toString(),
    availableNanoEur: budget.availableNanoEur.toString(),
    overrunNanoEur: budget.overrunNanoEur.toString(),
    resetsAt: budget.resetsAt.toISOString(),
  };
}

export async function tenantView(services: Services, tenant: TenantRecord): Promise<z.input<typeof TenantView>> {
  const budget = budgetView(tenant.name, await services.ledger.budget(tenant.account));
  return { tenant: tenant.name, state: tenant.state, ...tenant.registration, budget };
}

/** Runs `work` with the tenant of this name, or answers 404. */
export async function withTenant(
  services: Services,
  name: string,
  work: (tenant: TenantRecord) => Promise<Answer>,
): Promise<Answer> {
  const tenant = await services.catalogue.tenantByName(name);
  return tenant === undefined ? { status: 404, body: noSuchTenant(name) } : work(tenant);
}

/** The 404 for a tenant that there is not, or not for the caller. */
export function noSuchTenant(name: string): Problem {
  return problem(404, 'tenant_unknown', `there is no tenant "${name}"`);
}
