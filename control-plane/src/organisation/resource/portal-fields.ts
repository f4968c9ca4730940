/** The field manager under which portal and API write Tenants. Git's and kubectl's have names of their own. */
export const PORTAL_MANAGER = 'cloudfreedom-portal';

/** Who may change a field through the portal: by permission, or the platform's administration alone. */
export type FieldRight = 'tenant.write' | 'billing.write' | 'owner' | 'platform';

/**
 * The fields that the portal changes, and who may. Everything else of a Tenant (sizes, volumes, databases, domains) is
 * the platform engineers', and the list of owners changes by handing over.
 */
export const PORTAL_FIELDS: Readonly<Record<string, FieldRight>> = {
  displayName: 'tenant.write',
  plan: 'billing.write',
  hostname: 'owner',
  language: 'tenant.write',
  timeZone: 'tenant.write',
  models: 'tenant.write',
  dataResidency: 'tenant.write',
  'budget.monthlyEur': 'platform',
  'budget.memberMonthlyEur': 'tenant.write',
  'budget.keyMonthlyEur': 'tenant.write',
  'budget.alertThresholdsPercent': 'tenant.write',
  'branding.title': 'tenant.write',
  'branding.bannerText': 'tenant.write',
  suspended: 'platform',
  deletionPolicy: 'owner',
};
