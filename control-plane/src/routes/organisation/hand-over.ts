import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { handOver, handOverPlan } from '../../organisation/hand-over.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { memberRefusal } from './member-view.ts';
import { renameOwners } from './owners-in-cluster.ts';

export const handOverTenant = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/ownership',
  id: 'handOverTenant',
  summary: 'Make another member the owner; the former one stays as admin',
  tag: 'Members',
  access: 'owner',
  params: TenantParams,
  body: z.strictObject({ person: z.uuid() }),
  responses: {
    204: { description: 'Handed over' },
    403: { description: 'Signed in too long ago', schema: Problem },
    404: { description: 'No such tenant or member', schema: Problem },
    409: { description: 'No seat is free, or the owners are held elsewhere (field_managed)', schema: Problem },
    422: { description: 'The input is not valid', schema: Problem },
    503: { description: 'The cluster does not answer', schema: Problem },
  },
  run: (services, { params, body, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const stale = principal.kind === 'person' ? requireRecent({ principal }, services.now()) : undefined;
      if (stale !== undefined) return stale;
      const from = principal.kind === 'person' && role === 'owner' ? principal.person.id : undefined;
      const plan = await handOverPlan(services.pool, tenant.id, from, body.person);
      if (plan.outcome !== 'possible') return memberRefusal(plan.outcome);
      const { gone, next } = plan;
      const refused = await renameOwners(services, tenant.name, (owners) => {
        const leaving = gone === undefined ? owners.map((address) => address.toLowerCase()) : gone;
        const kept = owners.filter((address) => ![...leaving, next.toLowerCase()].includes(address.toLowerCase()));
        return [...kept, next];
      });
      if (refused !== undefined) return refused;
      const outcome = await handOver(services.pool, tenant, from, body.person);
      if (outcome !== 'handed_over') return memberRefusal(outcome);
      const audit = { target: `member/${body.person}`, before: { owner: from ?? null }, after: { owner: body.person } };
      return { status: 204, audit };
    }),
});
