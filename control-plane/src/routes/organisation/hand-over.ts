import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { type Answer, route } from '../../http/route.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { handOver, handOverPlan } from '../../organisation/hand-over.ts';
import { writeTenant } from '../../organisation/resource/write-tenant.ts';
import type { Services } from '../../services.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { withCluster, writeRefusal } from './cluster-answers.ts';
import { memberRefusal } from './member-view.ts';

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
      // The cluster first: where Git holds the owners, nothing may change here either. Should we die in between, the
      // operator registers the new owners, and that hands over as well.
      const refused = await renameOwners(services, tenant.name, plan);
      if (refused !== undefined) return refused;
      const outcome = await handOver(services.pool, tenant, from, body.person);
      if (outcome !== 'handed_over') return memberRefusal(outcome);
      const audit = { target: `member/${body.person}`, before: { owner: from ?? null }, after: { owner: body.person } };
      return { status: 204, audit };
    }),
});

/** Writes the owners into the Tenant, where the cluster has one of this name. */
async function renameOwners(
  services: Services,
  name: string,
  { gone, next }: { readonly gone: readonly string[] | undefined; readonly next: string },
): Promise<Answer | undefined> {
  if (services.tenantResources === undefined) return undefined;
  const answer = await withCluster(services, async (resources) => {
    const live = await resources.get(name);
    const before = (live?.spec as { owners?: readonly string[] } | undefined)?.owners;
    if (before === undefined) return DONE;
    const kept = gone === undefined ? [] : before.filter((address) => !gone.includes(address.toLowerCase()));
    const owners = [...kept.filter((address) => address.toLowerCase() !== next.toLowerCase()), next];
    const written = await writeTenant(resources, name, new Map([['owners', owners]]));
    return written.outcome === 'written' ? DONE : writeRefusal(written);
  });
  return answer === DONE ? undefined : answer;
}

const DONE: Answer = { status: 204 };
