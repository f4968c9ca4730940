/** The domain that chats live below: the portal's own host without its first label. */
export function baseDomainOf(portalHost: string): string {
  const [, ...rest] = portalHost.split('.');
  return rest.length === 0 ? portalHost : rest.join('.');
}
