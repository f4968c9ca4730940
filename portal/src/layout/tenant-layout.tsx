import { useQuery } from '@tanstack/react-query';
import { useMatchRoute, useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { tenantsQuery } from '../api/tenants.ts';
import { UnknownTenantPage } from '../pages/unknown-tenant.tsx';
import { may } from '../tenant/permissions.ts';
import { type Section, Sections } from './sections.tsx';

/** The sections of a tenant that the reader's role opens. */
export function TenantLayout() {
  const { t } = useTranslation();
  const { tenant } = useParams({ from: '/app/tenants/$tenant' });
  const { data: tenants } = useQuery(tenantsQuery);
  const role = tenants?.find((membership) => membership.tenant === tenant)?.role;
  const sections: Section[] = [
    { to: '/tenants/$tenant', label: t('tenant.overview'), exact: true },
    ...(may(role, 'members.read') ? [{ to: '/tenants/$tenant/members', label: t('tenant.members') } as const] : []),
    ...(may(role, 'keys.own') ? [{ to: '/tenants/$tenant/keys', label: t('tenant.keys') } as const] : []),
    ...(may(role, 'tenant.write') ? [{ to: '/tenants/$tenant/settings', label: t('tenant.settings') } as const] : []),
  ];
  // a tenant that is being made is nobody's yet: its overview alone is open
  const isHome = useMatchRoute()({ to: '/tenants/$tenant', params: { tenant } }) !== false;
  const instead = tenants !== undefined && role === undefined && !isHome ? <UnknownTenantPage /> : undefined;
  return <Sections label={t('tenant.sections')} sections={sections} params={{ tenant }} instead={instead} />;
}
