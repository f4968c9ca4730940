import { parseTenant, reservedHostnames } from '@cloudfreedom/crds/tenant.ts';
import type { KubeObject } from '@cloudfreedom/operator/runtime/cluster.ts';
import type pg from 'pg';
import { inTransaction } from '../../database/pool.ts';
import { TENANTS, type TenantResources } from '../../kubernetes/tenant-resources.ts';
import { planRefusal } from './plan-choice.ts';
import type { TenantWish } from './tenant-body.ts';
import { applyNewTenant, type Fault } from './write-tenant.ts';

/** Tenants one person may own at a time, those that are still being made included. */
export const MAX_OWNED_TENANTS = 3;
/** Seconds a claim on a name keeps others away although no Tenant of that name is there: longer than the API server may take. */
const CLAIM_SECONDS = 60;

export type CreateOutcome =
  | { readonly outcome: 'created'; readonly tenant: KubeObject }
  | { readonly outcome: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly outcome: 'busy' }
  | {
      readonly outcome:
        | 'name_reserved'
        | 'name_taken'
        | 'hostname_taken'
        | 'too_many_tenants'
        | 'plan_unknown'
        | 'plan_by_agreement';
    };

export type Creator = { readonly id: string; readonly email: string };

/**
 * Makes the Tenant that a person wishes, with them as its owner. The name is claimed first, because server-side apply
 * would take a Tenant that somebody made at the same time for ours.
 */
export async function createTenant(
  pool: pg.Pool,
  resources: TenantResources,
  creator: Creator,
  wish: TenantWish,
): Promise<CreateOutcome> {
  const { name, ...fields } = wish;
  const host = fields.hostname ?? name;
  if ((reservedHostnames as readonly string[]).includes(host)) return { outcome: 'name_reserved' };
  const spec = { ...fields, owners: [creator.email] };
  const { apiVersion, kind } = TENANTS;
  const parsed = parseTenant({ apiVersion, kind, metadata: { name }, spec });
  if (!parsed.ok) {
    const faults = parsed.problems.map(({ path, message }) => ({
      path: path.replace(/^(spec|metadata)\./, ''),
      message,
    }));
    return { outcome: 'invalid', faults };
  }
  const plan = await planRefusal(pool, wish.plan, { platform: false });
  if (plan !== undefined) return { outcome: plan };
  if (isHostTaken(resources, name, host)) return { outcome: 'hostname_taken' };
  if ((await resources.get(name)) !== undefined) return { outcome: 'name_taken' };
  const claimed = await claim(
    pool,
    name,
    creator,
    resources.known()?.map(({ metadata }) => metadata.name),
  );
  if (claimed !== 'claimed' && claimed !== 'claimed_before') return { outcome: claimed };
  // Whoever asks twice at a time must not lose what the first call has made.
  const giveUp = () => (claimed === 'claimed' ? release(pool, name, creator) : undefined);
  if ((await resources.get(name)) !== undefined) {
    await giveUp();
    return { outcome: 'name_taken' };
  }
  const written = await applyNewTenant(resources, name, spec);
  if (written.outcome === 'written') return { outcome: 'created', tenant: written.tenant };
  await giveUp();
  if (written.outcome === 'invalid') return written;
  // A field that somebody holds: they applied one of this name in the meantime.
  return { outcome: written.outcome === 'field_managed' ? 'name_taken' : 'busy' };
}

/** Whether another Tenant leads this host name already. The operator judges it again, for both may be new. */
export function isHostTaken(resources: TenantResources, name: string, host: string): boolean {
  return (resources.known() ?? []).some(({ metadata, spec }) => {
    const { hostname } = (spec ?? {}) as { hostname?: string };
    return metadata.name !== name && (hostname ?? metadata.name) === host;
  });
}

/**
 * Claims a name for a person who owns few enough tenants. A closed tenant's name is its owners' alone: its data waits.
 * @param known the Tenants of the cluster, where they have been listed
 */
async function claim(
  pool: pg.Pool,
  name: string,
  { id }: Creator,
  known: readonly string[] | undefined,
): Promise<'claimed' | 'claimed_before' | 'name_taken' | 'too_many_tenants'> {
  return inTransaction(pool, async (client) => {
    // One after the other: neither a name nor a person's last free place is given twice.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`claims/${id}`]);
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`tenant/${name}`]);
    const { rows: owned } = await client.query<{ count: bigint }>(
      `select (select count(*) from membership s join tenant t on t.id = s.tenant_id
               where s.person_id = $1 and s.role = 'owner' and t.state = 'open')
            + (select count(*) from tenant_request where person_id = $1 and name <> $2
                 -- One whose Tenant was taken out of the cluster again never comes to be.
                 and ($3::text[] is null or name = any($3) or created_at > clock_timestamp() - make_interval(secs => $4)))
            as count`,
      [id, name, known ?? null, CLAIM_SECONDS],
    );
    if ((owned[0]?.count ?? 0n) >= MAX_OWNED_TENANTS) return 'too_many_tenants';
    const { rows: registered } = await client.query<{ mine: boolean }>(
      `select t.state = 'closed' and exists (select 1 from membership s
         where s.tenant_id = t.id and s.person_id = $2 and s.role = 'owner') as mine
       from tenant t where t.name = $1 and t.state <> 'erased'`,
      [name, id],
    );
    if (registered[0]?.mine === false) return 'name_taken';
    const { rows: before } = await client.query<{ person_id: string; live: boolean }>(
      `select person_id, created_at > clock_timestamp() - make_interval(secs => $2) as live
       from tenant_request where name = $1`,
      [name, CLAIM_SECONDS],
    );
    if (before[0]?.person_id === id) return 'claimed_before';
    if (before[0]?.live) return 'name_taken';
    await client.query(
      `insert into tenant_request (name, person_id) values ($1, $2)
       on conflict (name) do update set person_id = excluded.person_id, created_at = excluded.created_at`,
      [name, id],
    );
    return 'claimed';
  });
}

async function release(pool: pg.Pool, name: string, { id }: Creator): Promise<void> {
  await pool.query('delete from tenant_request where name = $1 and person_id = $2', [name, id]);
}
