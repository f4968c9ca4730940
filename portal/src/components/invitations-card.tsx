import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { invitationsQuery, resendInvitation, withdrawInvitation } from '../api/members.ts';
import type { Invitation } from '../api/types.ts';
import { formatMoment } from '../format/dates.ts';
import { useLanguage } from '../hooks/language.ts';
import { Refusal } from './refusal.tsx';
import { Alert } from './ui/alert.tsx';
import { Badge } from './ui/badge.tsx';
import { Button } from './ui/button.tsx';
import { Card, CardHeader } from './ui/card.tsx';
import { ConfirmDialog } from './ui/confirm-dialog.tsx';

/** Invitations that wait; nothing where none does. */
export function InvitationsCard({ tenant, mayChange }: { tenant: string; mayChange: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const queryClient = useQueryClient();
  const { data: invitations } = useQuery(invitationsQuery(tenant));
  const [withdrawing, setWithdrawing] = useState<Invitation>();
  const refresh = () => queryClient.invalidateQueries({ queryKey: invitationsQuery(tenant).queryKey });
  const resending = useMutation({
    mutationFn: (invitation: Invitation) => resendInvitation(tenant, invitation.id),
    onSuccess: refresh,
  });
  if (invitations === undefined || invitations.length === 0) return null;
  return (
    <Card>
      <CardHeader title={t('members.invitations')} />
      <ul className="divide-y divide-line">
        {invitations.map((invitation) => (
          <li key={invitation.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3 first:pt-0 last:pb-0">
            <div className="min-w-0 flex-1 basis-56 text-sm">
              <p className="flex flex-wrap items-center gap-2">
                <span className="break-all font-medium">{invitation.email}</span>
                <Badge>{t(`role.${invitation.role}`)}</Badge>
                {invitation.expired ? <Badge tone="warning">{t('keys.expired')}</Badge> : null}
              </p>
              <p className="text-muted">
                {t('members.expires')} {formatMoment(invitation.expiresAt, language)}
              </p>
            </div>
            {mayChange ? (
              <div className="flex gap-2">
                <Button
                  variant="secondary"
                  size="small"
                  busy={resending.isPending && resending.variables?.id === invitation.id}
                  onClick={() => resending.mutate(invitation)}
                >
                  {t('members.resend')}
                </Button>
                <Button variant="quietDanger" size="small" onClick={() => setWithdrawing(invitation)}>
                  {t('members.revoke')}
                </Button>
              </div>
            ) : null}
          </li>
        ))}
      </ul>
      <Refusal error={resending.error} />
      {resending.isSuccess ? (
        <Alert tone="success" className="mt-5">
          {t('members.sent', { email: resending.variables.email })}
        </Alert>
      ) : null}
      {withdrawing === undefined ? null : (
        <ConfirmDialog
          title={t('members.revokeTitle', { email: withdrawing.email })}
          text={t('members.revokeText')}
          deed={t('members.revoke')}
          onConfirm={() => withdrawInvitation(tenant, withdrawing.id).then(refresh)}
          onClose={() => setWithdrawing(undefined)}
        />
      )}
    </Card>
  );
}
