/** What is known when somebody has come back from a provider. */
export type Known = {
  /** Whether the provider verified the address. */
  readonly emailVerified: boolean;
  /** Whose identity it is already. */
  readonly owner: string | undefined;
  /** Who has the address. */
  readonly addressOwner: string | undefined;
  /** Who is signed in in this browser. */
  readonly signedIn: string | undefined;
  /** Who began the visit to add the provider to their account; undefined for signing in. */
  readonly linking: string | undefined;
};

/** Why it goes no further. */
export type SocialRefusal = 'email_unverified' | 'identity_taken' | 'signed_out';

/** What follows from it. */
export type Decision =
  | { readonly kind: 'sign_in'; readonly personId: string }
  /** The identity becomes one of this person, who is signed in. */
  | { readonly kind: 'link'; readonly personId: string }
  /** The identity waits until its person has accepted the terms, or signed in to the account that has the address. */
  | { readonly kind: 'wait'; readonly purpose: 'terms' | 'link' }
  | { readonly kind: 'refuse'; readonly code: SocialRefusal };

/** The linking rules of ADR 0015. An address alone never opens an account that exists. */
export function decide(known: Known): Decision {
  const { owner, addressOwner, signedIn, linking } = known;
  if (linking !== undefined) {
    if (signedIn !== linking) return { kind: 'refuse', code: 'signed_out' };
    if (owner !== undefined && owner !== linking) return { kind: 'refuse', code: 'identity_taken' };
    return { kind: 'link', personId: linking };
  }
  if (owner !== undefined) return { kind: 'sign_in', personId: owner };
  if (!known.emailVerified) return { kind: 'refuse', code: 'email_unverified' };
  if (addressOwner === undefined) return { kind: 'wait', purpose: 'terms' };
  return signedIn === addressOwner ? { kind: 'link', personId: addressOwner } : { kind: 'wait', purpose: 'link' };
}
