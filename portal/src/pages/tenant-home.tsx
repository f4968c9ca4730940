import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { ArrowUpRight, MessagesSquare } from 'lucide-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { accountQuery } from '../api/account.ts';
import { tenantsQuery } from '../api/tenants.ts';
import { BudgetCard } from '../components/budget-card.tsx';
import { PageHeader } from '../components/page.tsx';
import { ProgressCard } from '../components/progress-card.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Badge } from '../components/ui/badge.tsx';
import { Button } from '../components/ui/button.tsx';
import { UsageCard } from '../components/usage-card.tsx';
import { useProgress } from '../hooks/progress.ts';
import { may, type Role } from '../tenant/permissions.ts';
import { UnknownTenantPage } from './unknown-tenant.tsx';

/** A tenant's home: how it becomes ready, then the way into the chat, and what it has to spend. */
export function TenantHomePage() {
  const { tenant } = useParams({ from: '/app/tenants/$tenant' });
  const { data: tenants } = useQuery(tenantsQuery);
  const queryClient = useQueryClient();
  const membership = tenants?.find((candidate) => candidate.tenant === tenant);
  const { progress, refused } = useProgress(tenant);
  const isKnown = membership !== undefined;
  const isReady = progress?.ready ?? false;
  useEffect(() => {
    // the operator has registered it meanwhile: only now does it belong to the person's tenants
    if (isReady && !isKnown) void queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
  }, [isReady, isKnown, queryClient]);
  if (refused && !isKnown) return <UnknownTenantPage />;
  const isMaking = progress === undefined ? !isKnown : !progress.ready;
  return (
    <div key={tenant} className="space-y-6">
      <PageHeader
        title={membership?.displayName ?? tenant}
        text={membership === undefined ? undefined : <Standing role={membership.role} host={membership.host} />}
      />
      {isMaking ? <ProgressCard progress={progress} /> : null}
      {membership !== undefined && !isMaking ? (
        <>
          <ChatLink url={progress?.url ?? `https://${membership.host}/`} role={membership.role} />
          <BudgetCard tenant={tenant} follows={may(membership.role, 'usage.read')} />
          {may(membership.role, 'usage.read') ? <UsageCard tenant={tenant} /> : null}
        </>
      ) : null}
    </div>
  );
}

function Standing({ role, host }: { role: Role; host: string }) {
  const { t } = useTranslation();
  return (
    <span className="flex flex-wrap items-center gap-3">
      <span className="break-all">{host}</span>
      <Badge>{t(`role.${role}`)}</Badge>
    </span>
  );
}

/** The one thing most people come for. */
function ChatLink({ url, role }: { url: string; role: Role }) {
  const { t } = useTranslation();
  if (role === 'billing') return <Alert>{t('tenant.noChat')}</Alert>;
  return (
    <section className="flex flex-wrap items-center gap-x-6 gap-y-4 rounded-xl bg-[#0b3f4d] p-6 text-[#eaf5f6] shadow-card sm:p-7">
      <span className="flex size-12 shrink-0 items-center justify-center rounded-xl bg-white/10">
        <MessagesSquare className="size-6 text-[#8fe3d3]" aria-hidden />
      </span>
      <div className="min-w-0 flex-1 basis-52">
        <h2 className="font-semibold text-xl leading-snug">{t('tenant.chatReady')}</h2>
        <p className="text-[#bfdade]">{t('tenant.chatHint')}</p>
      </div>
      <Button asChild size="large" className="w-full bg-white text-[#0b3f4d] hover:bg-[#dcf3f0] sm:w-auto">
        <a href={url}>
          {t('tenant.openChat')}
          <ArrowUpRight aria-hidden />
        </a>
      </Button>
    </section>
  );
}
