import { queryOptions } from '@tanstack/react-query';
import { accountQuery } from './account.ts';
import { api, dataOf } from './client.ts';
import type { Plan, TenantChange } from './types.ts';

/** Days that the page of usage looks back. */
const USAGE_DAYS = 7;
const DAY_MS = 86_400_000;
/** Models a page of usage lists at most. */
const SHOWN_MODELS = 50;

/** The tenants that the person belongs to. */
export const tenantsQuery = queryOptions({ ...accountQuery, select: ({ memberships }) => memberships });

/** Plans one may choose from. */
export const plansQuery = queryOptions({
  queryKey: ['plans'],
  queryFn: async (): Promise<readonly Plan[]> => {
    const { items } = await dataOf(api.GET('/v1/plans'));
    return items.toSorted((a, b) => Number(BigInt(priceOf(a)) - BigInt(priceOf(b))));
  },
});

/** Plans by agreement come last. */
function priceOf({ pricePerMonthNanoEur }: Plan): string {
  return pricePerMonthNanoEur ?? '9007199254740991';
}

/** A tenant that somebody wishes. */
export type TenantWish = { name: string; displayName: string; plan: string; language: 'de' | 'en' };

/** Has a tenant made; its progress tells the rest. */
export const createTenant = (body: TenantWish) => dataOf(api.POST('/v1/tenants', { body }));

/** What a tenant has, has spent and holds now. */
export const budgetQuery = (tenant: string) =>
  queryOptions({
    queryKey: ['tenant', tenant, 'budget'],
    queryFn: () => dataOf(api.GET('/v1/tenants/{tenant}/budget', { params: { path: { tenant } } })),
  });

/** What the last days cost, by model. */
export const usageQuery = (tenant: string, today: Date) => {
  const from = new Date(today.getTime() - (USAGE_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  const query = { from, groupBy: 'model', limit: SHOWN_MODELS };
  return queryOptions({
    queryKey: ['tenant', tenant, 'usage', from],
    queryFn: async () =>
      (await dataOf(api.GET('/v1/tenants/{tenant}/usage/summary', { params: { path: { tenant }, query } }))).items,
  });
};

/** The tenant as it is wished, and who holds which field. */
export const resourceQuery = (tenant: string) =>
  queryOptions({
    queryKey: ['tenant', tenant, 'resource'],
    queryFn: () => dataOf(api.GET('/v1/tenants/{tenant}/resource', { params: { path: { tenant } } })),
  });

/** Changes the fields that the portal may. */
export const changeTenant = (tenant: string, body: TenantChange) =>
  dataOf(api.PATCH('/v1/tenants/{tenant}', { params: { path: { tenant } }, body }));
