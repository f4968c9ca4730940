/**
 * Who may call what, written by hand: the test of callers judges the code by this, so nothing here comes from the code's
 * own tables. A route that is not listed fails the test. One word per route:
 *
 *   public    everybody                       person    whoever is signed in
 *   admin     the platform's admins           person+   those and the operator, and the admin key
 *   operator  those and the operator          key       one of a tenant's keys
 *   gateway   a tenant's gateway              else      a permission in the tenant of the path; with + the operator, too
 *
 * "people with" a permission are persons alone: what it is about may not be a tenant yet, so no key can belong to it.
 */
export const NEEDED: Readonly<Record<string, string>> = {
  // Gateway
  identify: 'gateway',
  authorise: 'gateway',
  settle: 'gateway',
  void: 'gateway',
  lease: 'gateway',
  report: 'gateway',
  takeChatData: 'gateway',
  putChatDataPart: 'gateway',
  endChatData: 'gateway',
  // Tenants and their money
  putTenant: 'operator',
  getTenant: 'operator',
  listTenants: 'operator',
  deleteTenant: 'operator',
  getBudget: 'budget.read+',
  createGrant: 'admin',
  listGrants: 'usage.read',
  createReset: 'admin',
  createReversal: 'admin',
  listUsage: 'usage.read',
  listLedger: 'usage.read',
  summariseUsage: 'usage.read',
  exportUsage: 'usage.read',
  getForecast: 'usage.read',
  listAlerts: 'budget.read',
  streamEvents: 'usage.read',
  putWebhook: 'webhook.manage',
  getWebhook: 'webhook.manage',
  deleteWebhook: 'webhook.manage',
  createReconciliation: 'admin',
  listReconciliations: 'admin',
  createTenant: 'person',
  getTenantResource: 'people with tenant.read',
  changeTenant: 'tenant.write',
  handOverTenant: 'owner',
  requestTenantDeletion: 'owner',
  streamTenantProgress: 'people with tenant.read',
  // Files
  listFiles: 'files.read',
  getFile: 'files.read',
  putLogo: 'files.write',
  deleteFile: 'files.write',
  // Users and keys
  createUser: 'members.write',
  changeUser: 'members.write',
  listUsers: 'members.read',
  createMyKey: 'keys.own',
  listMyKeys: 'keys.own',
  deleteMyKey: 'keys.own',
  createKey: 'keys.manage',
  changeKey: 'keys.manage',
  listKeys: 'keys.manage',
  deleteKey: 'keys.manage',
  createToken: 'key',
  getTokenKeys: 'public',
  // Catalogue
  putPlan: 'operator',
  getPlan: 'person+',
  listPlans: 'person+',
  deletePlan: 'operator',
  putModel: 'operator',
  getModel: 'operator',
  getModelPrices: 'operator',
  listModels: 'operator',
  deleteModel: 'operator',
  listPriceSnapshots: 'admin',
  getPriceSnapshot: 'admin',
  // Accounts
  register: 'public',
  resendRegistration: 'public',
  confirmRegistration: 'public',
  signIn: 'public',
  requestPasswordReset: 'public',
  redeemPasswordReset: 'public',
  undoAddressChange: 'public',
  signOut: 'person',
  listSessions: 'person',
  endSession: 'person',
  endOtherSessions: 'person',
  getAccount: 'person',
  changeAccount: 'person',
  changePassword: 'person',
  requestAddressChange: 'person',
  confirmAddressChange: 'person',
  reauthenticate: 'person',
  // Ways to sign in
  listSignInProviders: 'public',
  acceptTermsOfSignIn: 'public',
  answerSecondFactor: 'public',
  passkeySignInOptions: 'public',
  signInByPasskey: 'public',
  beginProviderSignIn: 'public',
  endProviderSignIn: 'public',
  getTotp: 'person',
  startTotp: 'person',
  confirmTotp: 'person',
  removeTotp: 'person',
  getRecoveryCodes: 'person',
  replaceRecoveryCodes: 'person',
  listPasskeys: 'person',
  passkeyRegistrationOptions: 'person',
  addPasskey: 'person',
  removePasskey: 'person',
  listIdentities: 'person',
  linkWaitingIdentity: 'person',
  beginIdentityLink: 'person',
  unlinkIdentity: 'person',
  // Members
  listMembers: 'members.read',
  leaveTenant: 'tenant.read',
  getMember: 'members.read',
  changeMember: 'members.write',
  removeMember: 'members.write',
  createInvitation: 'members.write',
  listInvitations: 'members.read',
  resendInvitation: 'members.write',
  withdrawInvitation: 'members.write',
  lookUpInvitation: 'public',
  acceptInvitation: 'person',
  // Single sign-on
  listSigningKeys: 'admin',
  createSigningKey: 'admin',
  // Audit and privacy
  listAudit: 'audit.read',
  verifyAudit: 'audit.read',
  exportAudit: 'audit.read',
  listPlatformAudit: 'admin',
  verifyPlatformAudit: 'admin',
  exportPlatformAudit: 'admin',
  getTerms: 'public',
  listConsents: 'person',
  createConsent: 'person',
  requestChatExport: 'person',
  getChatData: 'person',
  exportAccount: 'person',
  createErasure: 'person',
  // System
  healthz: 'public',
  readyz: 'public',
  metrics: 'public',
  openapi: 'public',
};

/** What each role may do in its tenant, by hand as well. */
export const MAY: Readonly<Record<'owner' | 'admin' | 'member' | 'billing', readonly string[]>> = {
  owner: [
    'tenant.read',
    'tenant.write',
    'budget.read',
    'usage.read',
    'members.read',
    'members.write',
    'keys.own',
    'keys.manage',
    'billing.read',
    'billing.write',
    'audit.read',
    'files.read',
    'files.write',
    'webhook.manage',
    'owner',
  ],
  admin: [
    'tenant.read',
    'tenant.write',
    'budget.read',
    'usage.read',
    'members.read',
    'members.write',
    'keys.own',
    'keys.manage',
    'billing.read',
    'audit.read',
    'files.read',
    'files.write',
    'webhook.manage',
  ],
  member: ['tenant.read', 'budget.read', 'keys.own', 'files.read'],
  billing: ['tenant.read', 'budget.read', 'usage.read', 'billing.read', 'billing.write', 'files.read'],
};

/** What a key can be given: all that an owner may, but what is for people. */
export const SCOPES: readonly string[] = MAY.owner.filter((permission) => !['keys.own', 'owner'].includes(permission));

/** in: let through, whatever the operation then answers. 404: as if the tenant did not exist. */
export type Door = 'in' | 401 | 403 | 404;

/** What a caller is, as far as a door cares. */
export type Kind =
  | { readonly is: 'unknown' }
  | { readonly is: 'admin key' | 'operator key' | 'gateway' }
  | { readonly is: 'platform admin' }
  /** Signed in; with a role in the tenant of the path, or in another one only. */
  | { readonly is: 'person'; readonly may: readonly string[] | undefined }
  /** A key or a token; undefined: of another tenant. */
  | { readonly is: 'key' | 'token'; readonly may: readonly string[] | undefined };

/** What the door says to this caller. */
export function doorOf(needed: string, caller: Kind): Door {
  const operatorToo = needed.endsWith('+');
  const word = needed.replace(/\+$/, '');
  if (word === 'public') return 'in';
  if (caller.is === 'unknown') return 401;
  const isAdmin = caller.is === 'admin key' || caller.is === 'platform admin';
  const opensToo = operatorToo && (isAdmin || caller.is === 'operator key');
  switch (word) {
    case 'operator':
      return isAdmin || caller.is === 'operator key' ? 'in' : 403;
    case 'admin':
      return isAdmin ? 'in' : 403;
    case 'gateway':
      return caller.is === 'gateway' ? 'in' : 403;
    case 'person':
      return caller.is === 'person' || caller.is === 'platform admin' || opensToo ? 'in' : 403;
    case 'key':
      return caller.is === 'key' ? 'in' : 403;
    case 'people with tenant.read':
      if (caller.is !== 'person') return caller.is === 'platform admin' ? 'in' : 403;
      return caller.may?.includes('tenant.read') ? 'in' : 404;
    default:
      if (isAdmin || opensToo) return 'in';
      if (!('may' in caller)) return 403;
      if (caller.may === undefined) return 404;
      return caller.may.includes(word) ? 'in' : 403;
  }
}
