import type pg from 'pg';
import { inTransaction } from '../../database/pool.ts';
import type { Services } from '../../services.ts';
import { personOfEmail, personOfId } from '../account/people.ts';
import { completeFirstFactor, type SignIn, type SignInCall } from '../sign-in.ts';
import { tellOfSignInChange } from '../tell-person.ts';
import { decide, type SocialRefusal } from './decide.ts';
import { linkIdentity, ownerOfIdentity } from './identities.ts';
import type { ProvedIdentity, Unproven } from './provider.ts';
import { PROVIDER_TITLES, type ProviderName } from './settings.ts';
import { letWait, type WaitingPurpose } from './waiting-identities.ts';

/** What a visit to a provider came to. */
export type VisitEnd =
  | SignIn
  | { readonly kind: 'linked'; readonly provider: ProviderName }
  | {
      readonly kind: 'waits';
      readonly purpose: WaitingPurpose;
      readonly token: string;
      readonly identity: Pick<ProvedIdentity, 'provider' | 'email' | 'name'>;
    }
  | { readonly kind: 'refused'; readonly code: SocialRefusal | Unproven | 'visit_unknown' | 'provider_linked' };

/** Who is at the browser, and what for. */
export type Visitor = { readonly signedIn: string | undefined; readonly linking: string | undefined };

/** Does what the linking rules say with an identity that a provider has proved. All or nothing. */
export function completeVisit(
  services: Services,
  identity: ProvedIdentity,
  visitor: Visitor,
  call: SignInCall,
): Promise<VisitEnd> {
  return inTransaction(services.pool, async (client): Promise<VisitEnd> => {
    const owner = await ownerOfIdentity(client, identity);
    const addressOwner = identity.emailVerified ? (await personOfEmail(client, identity.email))?.id : undefined;
    const decision = decide({ ...visitor, owner, addressOwner, emailVerified: identity.emailVerified });
    switch (decision.kind) {
      case 'sign_in':
        return completeFirstFactor(client, decision.personId, identity.provider, call);
      case 'link':
        return link(services, client, decision.personId, identity);
      case 'wait':
        return {
          kind: 'waits',
          purpose: decision.purpose,
          token: await letWait(client, decision.purpose, identity),
          identity,
        };
      case 'refuse':
        return { kind: 'refused', code: decision.code };
    }
  });
}

/** Makes an identity one of a person who is signed in, and tells them. */
export async function link(
  services: Services,
  client: pg.ClientBase,
  personId: string,
  identity: Pick<ProvedIdentity, 'provider' | 'subject' | 'email'>,
): Promise<Extract<VisitEnd, { kind: 'linked' | 'refused' }>> {
  const linked = await linkIdentity(client, personId, identity);
  if (linked === 'identity_taken' || linked === 'provider_linked') return { kind: 'refused', code: linked };
  const person = linked === 'linked' ? await personOfId(client, personId) : undefined;
  if (person !== undefined) {
    const detail = `${PROVIDER_TITLES[identity.provider]}: ${identity.email}`;
    await tellOfSignInChange(client, services, person, 'identity_linked', detail);
  }
  return { kind: 'linked', provider: identity.provider };
}
