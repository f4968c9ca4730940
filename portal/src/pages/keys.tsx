import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createMyKey, createServiceKey, myKeysQuery, revokeKey, revokeMyKey, serviceKeysQuery } from '../api/keys.ts';
import { tenantsQuery } from '../api/tenants.ts';
import type { Key } from '../api/types.ts';
import { KeyDialog } from '../components/key-dialog.tsx';
import { KeyList } from '../components/key-list.tsx';
import { PageHeader } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Button } from '../components/ui/button.tsx';
import { Card, CardHeader } from '../components/ui/card.tsx';
import { ConfirmDialog } from '../components/ui/confirm-dialog.tsx';
import { may } from '../tenant/permissions.ts';

/** Keys for programs: one's own, and for those who may, the services'. */
export function KeysPage() {
  const { t } = useTranslation();
  const { tenant } = useParams({ from: '/app/tenants/$tenant' });
  const { data: tenants } = useQuery(tenantsQuery);
  const membership = tenants?.find((candidate) => candidate.tenant === tenant);
  const queryClient = useQueryClient();
  const [making, setMaking] = useState<'mine' | 'service'>();
  const [revoking, setRevoking] = useState<Key>();
  const mine = useQuery(myKeysQuery(tenant));
  const manages = may(membership?.role, 'keys.manage');
  const service = useQuery({ ...serviceKeysQuery(tenant), enabled: manages });
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['tenant', tenant, 'keys'] });
  const button = (of: 'mine' | 'service') => (
    <Button variant={of === 'mine' ? 'primary' : 'secondary'} onClick={() => setMaking(of)}>
      <Plus aria-hidden />
      {t(of === 'mine' ? 'keys.new' : 'keys.newService')}
    </Button>
  );
  const revoke = ({ id, personId }: Key) => (personId === null ? revokeKey : revokeMyKey)(tenant, id).then(refresh);
  return (
    <div className="space-y-6">
      <PageHeader title={t('keys.title')} text={t('keys.text')} />
      <Card>
        <CardHeader title={t('keys.mine')} text={t('keys.mineText')} action={button('mine')} />
        <Refusal error={mine.error} className="mb-4" />
        <KeyList
          label={t('keys.mine')}
          keys={mine.error === null ? mine.data : []}
          empty={t('keys.emptyMine')}
          onRevoke={setRevoking}
        />
      </Card>
      {manages ? (
        <Card>
          <CardHeader title={t('keys.service')} text={t('keys.serviceText')} action={button('service')} />
          <KeyList
            label={t('keys.service')}
            keys={service.data}
            empty={t('keys.emptyService')}
            onRevoke={setRevoking}
          />
        </Card>
      ) : null}
      {making === undefined ? null : (
        <KeyDialog
          title={t(making === 'mine' ? 'keys.new' : 'keys.newService')}
          role={membership?.role}
          host={membership?.host ?? ''}
          create={async (wish) => {
            const issued = await (making === 'mine' ? createMyKey : createServiceKey)(tenant, wish);
            await refresh();
            return issued;
          }}
          onClose={() => setMaking(undefined)}
        />
      )}
      {revoking === undefined ? null : (
        <ConfirmDialog
          title={t('keys.revokeTitle', { name: revoking.name })}
          text={t('keys.revokeText')}
          deed={t('keys.revoke')}
          onConfirm={() => revoke(revoking)}
          onClose={() => setRevoking(undefined)}
        >
          <p className="flex items-center gap-2 text-muted text-sm">
            <KeyRound className="size-4" aria-hidden />
            <span className="identifier">
              {revoking.prefix}…{revoking.lastFour}
            </span>
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}
