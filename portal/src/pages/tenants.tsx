import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, Navigate } from '@tanstack/react-router';
import { ArrowRight, MessagesSquare, Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { tenantsQuery } from '../api/tenants.ts';
import { PageHeader } from '../components/page.tsx';
import { Badge } from '../components/ui/badge.tsx';
import { Button } from '../components/ui/button.tsx';
import { keptInvitation } from '../layout/kept-invitation.ts';

/** Where one lands: the only tenant, the choice of several, or the way to the first. */
export function TenantsPage() {
  const { t } = useTranslation();
  const { data: tenants } = useSuspenseQuery(tenantsQuery);
  const [first, second] = tenants;
  if (keptInvitation() !== undefined) return <Navigate to="/invitation" replace />;
  if (first === undefined) return <Welcome />;
  if (second === undefined) return <Navigate to="/tenants/$tenant" params={{ tenant: first.tenant }} replace />;
  return (
    <>
      <PageHeader
        title={t('tenants.title')}
        text={t('tenants.text')}
        action={
          <Button asChild variant="secondary">
            <Link to="/tenants/new">
              <Plus aria-hidden />
              {t('tenants.new')}
            </Link>
          </Button>
        }
      />
      <ul className="grid gap-4 sm:grid-cols-2">
        {tenants.map(({ tenant, displayName, host, role }) => (
          <li key={tenant}>
            <Link
              to="/tenants/$tenant"
              params={{ tenant }}
              className="group flex h-full items-center gap-4 rounded-xl border border-line bg-surface p-5 shadow-card transition-colors hover:border-control"
            >
              <div className="min-w-0 flex-1">
                <p className="truncate font-semibold">{displayName}</p>
                <p className="mt-0.5 truncate text-muted text-sm">{host}</p>
                <Badge className="mt-3">{t(`role.${role}`)}</Badge>
              </div>
              <ArrowRight className="size-5 text-muted transition-transform group-hover:translate-x-1" aria-hidden />
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

function Welcome() {
  const { t } = useTranslation();
  return (
    <div className="mx-auto flex max-w-lg flex-col items-center py-14 text-center">
      <span className="mb-6 flex size-14 items-center justify-center rounded-2xl bg-primary-soft text-on-primary-soft">
        <MessagesSquare className="size-7" aria-hidden />
      </span>
      <PageHeader title={t('tenants.emptyTitle')} text={t('tenants.emptyText')} />
      <Button asChild size="large">
        <Link to="/tenants/new">{t('tenants.emptyAction')}</Link>
      </Button>
    </div>
  );
}
