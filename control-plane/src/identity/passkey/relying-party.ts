/** Who asks for a passkey: browsers hold its id and origin against the page that is open. */
export type RelyingParty = { readonly id: string; readonly origin: string; readonly name: string };

/** The portal. Its host is the id, so that neither the API's host nor a tenant's chat can ask for its passkeys. */
export function relyingPartyOf(portalUrl: string): RelyingParty {
  const { hostname, origin } = new URL(portalUrl);
  return { id: hostname, origin, name: 'CloudFreedom' };
}
