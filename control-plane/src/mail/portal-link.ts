/** Pages of the portal that a mail's link opens. */
export type PortalPage =
  | 'confirm'
  | 'register'
  | 'sign-in'
  | 'forgot'
  | 'reset'
  | 'change-address'
  | 'invitation'
  | 'account';

/**
 * The address of a page of the portal. A token goes into the fragment: browsers send it to no server, so it is in no
 * access log and no referrer. `undo` tells the page of a change of address that it is to be taken back.
 */
export function portalLink(
  portalUrl: string,
  page: PortalPage,
  token?: string,
  kind: 'token' | 'undo' = 'token',
): string {
  const base = `${portalUrl.replace(/\/$/, '')}/${page}`;
  return token === undefined ? base : `${base}#${kind}=${token}`;
}
