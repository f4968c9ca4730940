import { inTransaction } from '../../database/pool.ts';
import { problem } from '../../http/problem.ts';
import type { Services } from '../../services.ts';
import { personOfId } from '../account/people.ts';
import type { Refusal } from '../account/refusals.ts';
import { waitingUnknown } from './accept-terms.ts';
import { link } from './complete-visit.ts';
import type { ProviderName } from './settings.ts';
import { takeWaiting } from './waiting-identities.ts';

/** Links an identity that waited for the person who has its address, now that they are signed in. */
export function linkWaiting(
  services: Services,
  personId: string,
  token: string,
): Promise<{ readonly provider: ProviderName } | Refusal> {
  return inTransaction(services.pool, async (client) => {
    const identity = await takeWaiting(client, 'link', token);
    const person = await personOfId(client, personId);
    if (identity === undefined || person === undefined) return waitingUnknown();
    // It waited for the owner of this address and for nobody else, whoever has got hold of the token.
    if (identity.email.toLowerCase() !== person.email.toLowerCase()) return otherAddress();
    const linked = await link(services, client, personId, identity);
    return linked.kind === 'linked' ? { provider: linked.provider } : notLinked(linked.code);
  });
}

function otherAddress(): Refusal {
  const detail =
    'this sign-in waits for the account with its own address; sign in to that one, or add the provider here';
  return { status: 409, body: problem(409, 'other_address', detail) };
}

/** Why a provider's account cannot become one of this person's. */
function notLinked(code: string): Refusal {
  const detail =
    code === 'provider_linked'
      ? 'another account of this provider is linked already; remove it first'
      : 'this account of the provider belongs to another person here';
  return { status: 409, body: problem(409, code, detail) };
}
