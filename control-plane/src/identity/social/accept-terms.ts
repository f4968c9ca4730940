import { inTransaction } from '../../database/pool.ts';
import { problem } from '../../http/problem.ts';
import type { Services } from '../../services.ts';
import { createPerson } from '../account/people.ts';
import type { Refusal } from '../account/refusals.ts';
import { completeFirstFactor, type SignIn, type SignInCall } from '../sign-in.ts';
import { linkIdentity, ownerOfIdentity } from './identities.ts';
import { takeWaiting } from './waiting-identities.ts';

export type Acceptance = {
  readonly token: string;
  readonly termsVersion: string;
  readonly language: 'de' | 'en';
  /** Where the person wants to be called otherwise than at the provider. */
  readonly name: string | undefined;
};

/** Makes a person of an identity that waited for the terms, and signs them in. */
export function acceptTerms(
  { pool, platformAdmins }: Services,
  { token, termsVersion, language, name }: Acceptance,
  call: SignInCall,
): Promise<SignIn | Refusal> {
  return inTransaction(pool, async (client) => {
    const identity = await takeWaiting(client, 'terms', token);
    if (identity === undefined) return waitingUnknown();
    // The same person in two tabs: the second finds what the first made.
    const owner = await ownerOfIdentity(client, identity);
    if (owner !== undefined) return completeFirstFactor(client, owner, identity.provider, call);
    const personId = await createPerson(client, platformAdmins, {
      email: identity.email,
      name: name ?? identity.name,
      language,
      passwordHash: null,
      termsVersion,
    });
    if (personId === undefined) return addressTaken();
    const linked = await linkIdentity(client, personId, identity);
    if (linked !== 'linked') throw new Error(`a new person’s identity was answered ${linked}`);
    return completeFirstFactor(client, personId, identity.provider, call);
  });
}

/** What waited is gone: used, overdue, or another thing's token. */
export function waitingUnknown(): Refusal {
  const detail = 'this sign-in was completed already or has expired; begin again at the provider';
  return { status: 404, body: problem(404, 'token_unknown', detail) };
}

function addressTaken(): Refusal {
  const detail = 'an account with this address was made meanwhile; sign in to it, then add the provider there';
  return { status: 409, body: problem(409, 'link_required', detail) };
}
