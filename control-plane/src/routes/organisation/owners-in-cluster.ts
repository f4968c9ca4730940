import type { Answer } from '../../http/route.ts';
import { writeTenant } from '../../organisation/resource/write-tenant.ts';
import type { Services } from '../../services.ts';
import { withCluster, writeRefusal } from './cluster-answers.ts';

/**
 * Changes whom a Tenant names as its owners, where the cluster has one of this name. Before the memberships: where Git
 * holds the owners, nothing may change here either; and should we die in between, the next registration brings the
 * memberships along.
 * @returns why it cannot be done; undefined when it is done, or nothing was to do
 */
export async function renameOwners(
  services: Services,
  name: string,
  edit: (owners: readonly string[]) => readonly string[],
): Promise<Answer | undefined> {
  if (services.tenantResources === undefined) return undefined;
  const answer = await withCluster(services, async (resources) => {
    const live = await resources.get(name);
    const before = (live?.spec as { owners?: readonly string[] } | undefined)?.owners;
    if (before === undefined || live?.metadata.deletionTimestamp !== undefined) return DONE;
    const owners = edit(before);
    if (owners.length === before.length && owners.every((address) => before.includes(address))) return DONE;
    const written = await writeTenant(resources, name, new Map([['owners', owners]]));
    return written.outcome === 'written' ? DONE : writeRefusal(written);
  });
  return answer === DONE ? undefined : answer;
}

/** Takes an owner who goes out of the Tenant; those who remain are named where it would name nobody. */
export async function dropOwner(
  services: Services,
  tenant: { readonly id: bigint; readonly name: string },
  person: string,
): Promise<Answer | undefined> {
  const { rows } = await services.pool.query<{ person_id: string; email: string }>(
    `select s.person_id, p.email from membership s join person p on p.id = s.person_id
     where s.tenant_id = $1 and s.role = 'owner' and p.email is not null order by s.created_at`,
    [tenant.id],
  );
  const gone = rows.find(({ person_id }) => person_id === person);
  const others = rows.filter((row) => row !== gone).map(({ email }) => email);
  // Not an owner, or the last one: what follows says so.
  if (gone === undefined || others.length === 0) return undefined;
  return renameOwners(services, tenant.name, (owners) => {
    const kept = owners.filter((address) => address.toLowerCase() !== gone.email.toLowerCase());
    return kept.length > 0 ? kept : others;
  });
}

/**
 * Takes the address of a person who is erased out of the Tenants that name it, where nobody else holds their owners.
 * @returns the Tenants that still name it
 */
export async function forgetOwner(
  services: Services,
  tenants: readonly string[],
  email: string,
): Promise<readonly string[]> {
  const { rows } = await services.pool.query<{ name: string; email: string }>(
    `select t.name, p.email from membership s join tenant t on t.id = s.tenant_id join person p on p.id = s.person_id
     where t.name = any ($1) and t.state <> 'erased' and s.role = 'owner' and p.email is not null order by s.created_at`,
    [tenants],
  );
  const naming: string[] = [];
  for (const tenant of tenants) {
    const others = rows.filter(({ name }) => name === tenant).map((row) => row.email);
    let named = true;
    const refused = await renameOwners(services, tenant, (owners) => {
      const kept = owners.filter((address) => address.toLowerCase() !== email.toLowerCase());
      const next = kept.length > 0 ? kept : others;
      // A Tenant names somebody: the last one stays until it has another owner.
      named = next.length === 0;
      return named ? owners : next;
    });
    if (refused !== undefined || named) naming.push(tenant);
  }
  return naming;
}

const DONE: Answer = { status: 204 };
