import type { IncomingMessage } from 'node:http';
import type { AuditEntry } from '../audit/entry.ts';
import type { ClientInfo } from '../http/client.ts';
import type { SignedIn } from '../identity/session/sessions.ts';

/** A request as the mount hands it to the library: with the address as a router has it, and who sends it. */
export type MountedRequest = IncomingMessage & { originalUrl?: string; visitor?: ClientInfo };

/** Who did something at the provider, for the audit: the person, and where their browser is. */
export function actorOf(
  { person }: SignedIn,
  { visitor }: MountedRequest,
): Required<Pick<AuditEntry, 'actor' | 'target' | 'from'>> {
  return {
    actor: { kind: 'person', id: person.id, name: `${person.name} <${person.email}>`, personId: person.id },
    target: { kind: 'person', id: person.id },
    from: { address: visitor?.address ?? null, userAgent: visitor?.userAgent ?? null },
  };
}
