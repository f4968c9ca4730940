import type { Answer, Route } from '../http/route.ts';
import type { Services } from '../services.ts';
import { appendAudit } from './append.ts';
import { type AuditedCall, entryOfCall } from './call-entry.ts';
import type { AuditEntry } from './entry.ts';

/**
 * Appends what the audit is told of a call that has been answered. The change is made by then: an entry that cannot be
 * written is logged with what it says (secrets are redacted there too) and counted, and the caller gets the answer.
 * @param tenantName the one that the path names
 */
export async function auditCall(
  services: Services,
  route: Route,
  call: AuditedCall,
  answer: Answer,
  tenantName: string | undefined,
): Promise<void> {
  const entry = entryOfCall(route, call, answer, null);
  if (entry === undefined) return;
  try {
    const tenant = entry.tenant ?? (tenantName === undefined ? null : await tenantIdOf(services, tenantName));
    await appendAudit(services.pool, { ...entry, tenant, actor: await named(services, entry.actor) });
  } catch (err) {
    services.metrics.auditFailures.inc();
    const { action, target, actor, requestId } = entry;
    services.log.error({ err, audit: { action, target, actor: actor.kind, id: actor.id, requestId } }, 'not audited');
  }
}

/** The newest tenant of the name: the call may just have made, closed or erased it. */
async function tenantIdOf({ pool }: Services, name: string): Promise<bigint | null> {
  const { rows } = await pool.query<{ id: bigint }>({
    name: 'audit_tenant',
    text: `select id from tenant where name = $1 order by state = 'erased', id desc limit 1`,
    values: [name],
  });
  return rows[0]?.id ?? null;
}

const NAME_OF = {
  person: { name: 'audit_person', text: `select name || ' <' || email || '>' as name from person where id::text = $1` },
  key: { name: 'audit_key', text: 'select name from api_key where id::text = $1' },
};

/** Keys, and someone who just signed in, are known by id only. */
async function named({ pool }: Services, actor: AuditEntry['actor']): Promise<AuditEntry['actor']> {
  if (actor.name !== null || !['person', 'key', 'service'].includes(actor.kind)) return actor;
  const query = actor.kind === 'person' ? NAME_OF.person : NAME_OF.key;
  const { rows } = await pool.query<{ name: string }>({ ...query, values: [actor.id] });
  return { ...actor, name: rows[0]?.name ?? null };
}
