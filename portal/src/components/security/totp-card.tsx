import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accountQuery } from '../../api/account.ts';
import { recoveryCodesQuery, removeTotp, startTotp } from '../../api/second-factors.ts';
import { useReauthentication } from '../../hooks/reauthentication.tsx';
import { Refusal } from '../refusal.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Card, CardHeader } from '../ui/card.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { TotpEnrolment } from './totp-enrolment.tsx';

/** The authenticator app: on or off, and the way to change that. */
export function TotpCard({ enrolled }: { enrolled: boolean }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const { guarded, dialog } = useReauthentication();
  const [asking, setAsking] = useState(false);
  const starting = useMutation({ mutationFn: () => guarded(startTotp) });
  const refresh = async () => {
    await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
    await queryClient.invalidateQueries({ queryKey: recoveryCodesQuery.queryKey });
  };
  return (
    <Card>
      <CardHeader
        title={
          <span className="flex flex-wrap items-center gap-2.5">
            {t('security.totpTitle')}
            <Badge tone={enrolled ? 'success' : 'neutral'}>{t(enrolled ? 'security.on' : 'security.off')}</Badge>
          </span>
        }
        text={t('security.totpText')}
      />
      {enrolled ? (
        <Button variant="secondary" onClick={() => setAsking(true)}>
          {t('security.disable')}
        </Button>
      ) : (
        <Button variant="secondary" busy={starting.isPending} onClick={() => starting.mutate()}>
          {t('security.enable')}
        </Button>
      )}
      <Refusal error={starting.error} />
      {starting.data === undefined ? null : (
        <TotpEnrolment
          enrolment={starting.data}
          onClose={() => {
            starting.reset();
            void refresh();
          }}
        />
      )}
      {asking ? (
        <ConfirmDialog
          title={t('security.disableTitle')}
          text={t('security.disableText')}
          deed={t('security.disable')}
          onConfirm={() => guarded(removeTotp).then(refresh)}
          onClose={() => setAsking(false)}
        />
      ) : null}
      {dialog}
    </Card>
  );
}
