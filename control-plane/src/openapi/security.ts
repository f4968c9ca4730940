import type { Access } from '../http/admit.ts';
import type { Route } from '../http/route.ts';
import { SESSION_COOKIE } from '../identity/session/session-cookie.ts';

const bearer = (description: string, bearerFormat?: string) => ({
  type: 'http' as const,
  scheme: 'bearer',
  description,
  ...(bearerFormat === undefined ? {} : { bearerFormat }),
});

/** The ways to say who one is. */
export const SECURITY_SCHEMES = {
  session: {
    type: 'apiKey' as const,
    in: 'cookie' as const,
    name: SESSION_COOKIE,
    description: 'A person, signed in at the portal. Writes must come from the portal’s own pages',
  },
  apiKey: bearer('An API key of a person or of the tenant; it does what its scopes say, in its tenant'),
  serviceToken: bearer('A short-lived token that a service key was exchanged for', 'JWT'),
  adminKey: bearer('The platform’s admin key'),
  operatorKey: bearer('The operator’s key'),
  gatewayCredential: bearer('A tenant’s gateway credential; it acts for that tenant only'),
};
type Scheme = keyof typeof SECURITY_SCHEMES;

const SECURITY: Partial<Record<Access, readonly Scheme[]>> = {
  public: [],
  operator: ['operatorKey', 'adminKey'],
  admin: ['adminKey', 'session'],
  gateway: ['gatewayCredential'],
  person: ['session'],
  key: ['apiKey'],
};
/** What opens a route besides, where it says that the operator may use it, too. */
const OPERATOR_TOO: readonly Scheme[] = ['operatorKey', 'adminKey'];
/** Of the routes that need a permission in a tenant. */
const IN_TENANT: readonly Scheme[] = ['session', 'apiKey', 'serviceToken', 'adminKey'];

export function securityOf({ access, operatorToo }: Route): readonly Scheme[] {
  return [...new Set([...(SECURITY[access] ?? IN_TENANT), ...(operatorToo ? OPERATOR_TOO : [])])];
}
