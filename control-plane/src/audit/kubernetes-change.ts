import type pg from 'pg';
import { z } from 'zod';
import { inTransaction } from '../database/pool.ts';
import { heldFields } from '../organisation/resource/held-fields.ts';
import { PORTAL_MANAGER } from '../organisation/resource/portal-fields.ts';
import { appendAudit } from './append.ts';

/** A custom resource as it is stored now, with who holds which field. */
export type WatchedObject = {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
};

const Seen = z.object({ generation: z.bigint(), spec: z.unknown() });

/**
 * Audits a change of an object's wish that somebody made past us: by kubectl, Git or an editor. Kubernetes keeps the
 * field manager of a change, not the user; what the portal wrote is in the audit already, with its person. Every replica
 * may call this for every change: one of them writes the entry.
 * @returns whether an entry was written
 */
export async function auditKubernetesChange(pool: pg.Pool, object: WatchedObject): Promise<boolean> {
  const { kind, metadata } = object;
  const { name, uid, generation } = metadata;
  if (uid === undefined || generation === undefined) return false;
  const spec = object.spec ?? null;
  return inTransaction(pool, async (client) => {
    const before = await replaceSeen(client, { uid, kind, name, generation, spec });
    const manager = newestManager(object);
    if (before === 'known' || manager === PORTAL_MANAGER) return false;
    await appendAudit(client, {
      tenant: await tenantOf(client, kind, name),
      actor: { kind: 'kubernetes', id: manager ?? null, name: null },
      action: before === undefined ? `${kind}.created` : `${kind}.changed`,
      target: { kind, id: name },
      before: before?.spec ?? null,
      after: spec,
    });
    return true;
  });
}

/** Audits that an object is gone. Who deleted it is known to the API server alone. */
export async function auditKubernetesDeletion(pool: pg.Pool, { kind, metadata }: WatchedObject): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ spec: unknown }>(
      'delete from audit_kubernetes_object where uid = $1 returning spec',
      [metadata.uid],
    );
    if (rows[0] === undefined) return false;
    await appendAudit(client, {
      tenant: await tenantOf(client, kind, metadata.name),
      actor: { kind: 'kubernetes', id: null, name: null },
      action: `${kind}.deleted`,
      target: { kind, id: metadata.name },
      before: rows[0].spec,
    });
    return true;
  });
}

/** Notes a generation. @returns what was known before; `known`: this generation or a newer one is */
async function replaceSeen(
  client: pg.PoolClient,
  { uid, kind, name, generation, spec }: { uid: string; kind: string; name: string; generation: number; spec: unknown },
): Promise<z.output<typeof Seen> | 'known' | undefined> {
  const values = [uid, kind, name, generation, JSON.stringify(spec)];
  const { rowCount } = await client.query(
    `insert into audit_kubernetes_object (uid, kind, name, generation, spec) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    values,
  );
  if (rowCount === 1) return undefined;
  const { rows } = await client.query(
    'select generation, spec from audit_kubernetes_object where uid = $1 for update',
    [uid],
  );
  const seen = rows[0] === undefined ? undefined : Seen.parse(rows[0]);
  if (seen === undefined || seen.generation >= BigInt(generation)) return 'known';
  await client.query(
    'update audit_kubernetes_object set kind = $2, name = $3, generation = $4, spec = $5, seen_at = now() where uid = $1',
    values,
  );
  return seen;
}

/** Who wrote to the spec last. */
function newestManager(object: WatchedObject): string | undefined {
  const holders = heldFields(object).flatMap(({ holders }) => holders);
  return holders.toSorted((one, other) => ((one.since ?? '') < (other.since ?? '') ? 1 : -1))[0]?.manager;
}

/** The chain of the tenant of that name; the platform's while it is not registered yet. */
async function tenantOf(client: pg.PoolClient, kind: string, name: string): Promise<bigint | null> {
  if (kind !== 'Tenant') return null;
  const { rows } = await client.query<{ id: bigint }>(
    `select id from tenant where name = $1 order by state = 'erased', id desc limit 1`,
    [name],
  );
  return rows[0]?.id ?? null;
}
