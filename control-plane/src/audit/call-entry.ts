import type { Principal } from '../http/auth.ts';
import type { Answer, Call, Route } from '../http/route.ts';
import { changesNothing } from './append.ts';
import type { AuditActor, AuditEntry, AuditTarget } from './entry.ts';

const NOWHERE = { address: null, userAgent: null };

/** A call as far as the audit goes by it. */
export type AuditedCall = Pick<Call<unknown, unknown, unknown>, 'principal' | 'client' | 'requestId' | 'body'> & {
  /** The path as it was asked for, without its query. */
  readonly path: string;
};

/**
 * Decides what the audit is told of a call: everything that succeeded and changed something. Reading is not told, nor the
 * gateway, whose every call is a line of the ledger. What a route refused is told where the route says so.
 */
export function entryOfCall(
  route: Pick<Route, 'method' | 'access' | 'id'>,
  call: AuditedCall,
  answer: Answer,
  tenant: bigint | null,
): AuditEntry | undefined {
  const { audit } = answer;
  if (route.access === 'gateway' || audit === 'unchanged') return undefined;
  // A sign-in that comes back from a provider is a GET, and says so.
  if (route.method === 'get' && audit === undefined) return undefined;
  if (audit === undefined && (answer.status >= 400 || call.principal.kind === 'anonymous')) return undefined;
  // The operator repeats itself on purpose; what did not change is no news.
  if (call.principal.kind === 'operator' && audit !== undefined && changesNothing(audit)) return undefined;
  const target = targetOf(audit?.target, call.path);
  const { kind, id, name, personId } = actorOf(call.principal, target);
  const unnamed = audit?.unnamed === true;
  return {
    tenant: audit?.tenant ?? tenant,
    actor: { kind, id, name: unnamed ? null : name, ...(personId === undefined ? {} : { personId }) },
    action: audit?.action ?? route.id,
    target,
    before: audit?.before,
    after: audit?.after ?? (audit === undefined ? bodyOf(route, call) : undefined),
    from: unnamed ? NOWHERE : { address: call.client.address ?? null, userAgent: call.client.userAgent ?? null },
    requestId: call.requestId,
  };
}

/** Who calls, as the audit names them. Someone who just signed in is who the route says it was about. */
export function actorOf(principal: Principal, target?: AuditTarget | null): AuditActor {
  switch (principal.kind) {
    case 'person': {
      const { id, name, email } = principal.person;
      return { kind: 'person', id, name: `${name} <${email}>` };
    }
    case 'key':
      return { kind: 'key', id: principal.keyId, name: null, personId: principal.personId ?? null };
    case 'service':
      return { kind: 'service', id: principal.keyId, name: null };
    case 'admin':
    case 'operator':
      return { kind: principal.kind, id: null, name: null };
    case 'gateway':
      return { kind: 'system', id: `gateway/${principal.tenant.name}`, name: null };
    case 'anonymous':
      return target?.kind === 'person'
        ? { kind: 'person', id: target.id, name: null }
        : { kind: 'anonymous', id: null, name: null };
  }
}

/** "member/<id>" as a route writes it; the path where it writes none. */
function targetOf(target: string | undefined, path: string): AuditTarget {
  if (target === undefined) return { kind: 'path', id: path };
  const slash = target.indexOf('/');
  return slash < 0 ? { kind: target, id: null } : { kind: target.slice(0, slash), id: target.slice(slash + 1) };
}

/** What was asked for, where the route says nothing of its own. Of people's own accounts they have to say it themselves. */
function bodyOf(route: Pick<Route, 'access'>, call: AuditedCall): unknown {
  return route.access === 'public' || route.access === 'person' ? undefined : call.body;
}
