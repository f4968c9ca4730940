import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { NanoEur } from '../../pricing/money.ts';
import { forecast, RUN_RATE_DAYS, windowStart } from '../../usage/forecast.ts';
import { dayOf } from '../../usage/local-day.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';

const Forecast = z
  .object({
    tenant: z.string(),
    period: z.string(),
    currency: z.literal('EUR'),
    spentNanoEur: NanoEur.meta({ description: 'In the period so far' }),
    grantedNanoEur: NanoEur,
    runRateNanoEurPerDay: NanoEur.meta({
      description: `Spent in the last ${RUN_RATE_DAYS} days, today's beginning included, by their length (at least 24 hours)`,
    }),
    expectedTotalNanoEur: NanoEur.meta({
      description: 'At the end of the period: spent + run rate × time left. May exceed what is granted',
    }),
    runsOutOn: z.iso.date().nullable().meta({
      description: 'The day, in the tenant’s time zone, on which the budget runs out; null: not in this period',
    }),
    resetsAt: z.iso.datetime(),
  })
  .meta({ id: 'Forecast' });

export const getForecast = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/forecast',
  id: 'getForecast',
  summary: 'What a tenant will have spent when its period ends, and the day its budget runs out',
  tag: 'Usage',
  access: 'usage.read',
  params: TenantParams,
  responses: {
    200: { description: 'The forecast', schema: Forecast },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async ({ id, name, account, registration }) => {
      const now = services.now();
      const { timeZone } = registration;
      const budget = await services.ledger.budget(account);
      const { rows } = await services.pool.query<{ since: Date; spent: bigint }>(
        `select created_at as since, (select coalesce(sum(posted), 0)::bigint from usage_until_now($2)
           where day >= $3) as spent from tenant where id = $1`,
        [id, account, dayOf(windowStart(now, timeZone), timeZone)],
      );
      const outlook = forecast({
        now,
        timeZone,
        periodEndsAt: budget.resetsAt,
        since: rows[0]?.since ?? now,
        spentNanoEur: budget.postedNanoEur,
        windowSpentNanoEur: rows[0]?.spent ?? 0n,
        remainingNanoEur: budget.grantedNanoEur - budget.postedNanoEur,
      });
      return {
        status: 200,
        body: {
          tenant: name,
          period: budget.period,
          currency: 'EUR',
          spentNanoEur: budget.postedNanoEur.toString(),
          grantedNanoEur: budget.grantedNanoEur.toString(),
          runRateNanoEurPerDay: outlook.runRateNanoEurPerDay.toString(),
          expectedTotalNanoEur: outlook.expectedTotalNanoEur.toString(),
          runsOutOn: outlook.runsOutOn,
          resetsAt: budget.resetsAt.toISOString(),
        },
      };
    }),
});
