import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { recoveryCodesQuery, replaceRecoveryCodes } from '../../api/second-factors.ts';
import { useReauthentication } from '../../hooks/reauthentication.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Card, CardHeader } from '../ui/card.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { RecoveryCodesDialog } from './recovery-codes.tsx';

/** Fewer codes than this are few. */
const FEW = 3;

/** How many recovery codes are left, and new ones. */
export function RecoveryCard() {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const { guarded, dialog } = useReauthentication();
  const { data } = useQuery(recoveryCodesQuery);
  const [asking, setAsking] = useState(false);
  const replacing = useMutation({
    mutationFn: () => guarded(replaceRecoveryCodes),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: recoveryCodesQuery.queryKey }),
  });
  const count = data?.left ?? 0;
  return (
    <Card>
      <CardHeader
        title={
          <span className="flex flex-wrap items-center gap-2.5">
            {t('security.recoveryTitle')}
            {data === undefined ? null : (
              <Badge tone={count < FEW ? 'warning' : 'neutral'}>{t('security.recoveryLeft', { count })}</Badge>
            )}
          </span>
        }
        text={t('security.recoveryText')}
      />
      <Button variant="secondary" onClick={() => setAsking(true)}>
        {t('security.recoveryNew')}
      </Button>
      {asking ? (
        <ConfirmDialog
          title={t('security.recoveryNewTitle')}
          text={t('security.recoveryNewText')}
          deed={t('security.recoveryNew')}
          onConfirm={() => replacing.mutateAsync()}
          onClose={() => setAsking(false)}
        />
      ) : null}
      {replacing.data === undefined ? null : (
        <RecoveryCodesDialog codes={replacing.data.recoveryCodes} onClose={() => replacing.reset()} />
      )}
      {dialog}
    </Card>
  );
}
