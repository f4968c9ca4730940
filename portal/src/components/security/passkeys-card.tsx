import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Fingerprint, Plus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accountQuery } from '../../api/account.ts';
import { passkeysQuery, recoveryCodesQuery, removePasskey } from '../../api/second-factors.ts';
import type { Passkey } from '../../api/types.ts';
import { formatDistance } from '../../format/dates.ts';
import { useLanguage } from '../../hooks/language.ts';
import { useReauthentication } from '../../hooks/reauthentication.tsx';
import { hasPasskeys } from '../../passkeys/browser.ts';
import { Alert } from '../ui/alert.tsx';
import { Button } from '../ui/button.tsx';
import { Card, CardHeader } from '../ui/card.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { PasskeyDialog } from './passkey-dialog.tsx';

/** The person's passkeys: add one, remove one. */
export function PasskeysCard() {
  const { t } = useTranslation();
  const language = useLanguage();
  const queryClient = useQueryClient();
  const { guarded, dialog } = useReauthentication();
  const { data: passkeys } = useQuery(passkeysQuery);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Passkey>();
  const refresh = async () => {
    for (const { queryKey } of [passkeysQuery, recoveryCodesQuery, accountQuery]) {
      await queryClient.invalidateQueries({ queryKey: [...queryKey] });
    }
  };
  const add = (
    <Button variant="secondary" onClick={() => setAdding(true)}>
      <Plus aria-hidden />
      {t('security.passkeyAdd')}
    </Button>
  );
  return (
    <Card>
      <CardHeader
        title={t('security.passkeysTitle')}
        text={t('security.passkeysText')}
        action={hasPasskeys() ? add : undefined}
      />
      {hasPasskeys() ? null : <Alert tone="warning">{t('security.passkeyUnsupported')}</Alert>}
      {passkeys?.length === 0 ? <p className="text-muted text-sm">{t('security.passkeyNone')}</p> : null}
      <ul className="divide-y divide-line">
        {passkeys?.map((passkey) => (
          <li key={passkey.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3">
            <Fingerprint className="size-5 text-muted" aria-hidden />
            <div className="min-w-0 flex-1 basis-40">
              <p className="break-words font-medium">{passkey.name}</p>
              <p className="text-muted text-sm">
                {t('security.passkeyUsed')}:{' '}
                {passkey.lastUsedAt === null
                  ? t('common.never')
                  : formatDistance(passkey.lastUsedAt, language, new Date())}
              </p>
            </div>
            <Button variant="quietDanger" size="small" onClick={() => setRemoving(passkey)}>
              {t('common.remove')}
            </Button>
          </li>
        ))}
      </ul>
      {adding ? (
        <PasskeyDialog
          guarded={guarded}
          onClose={() => {
            setAdding(false);
            void refresh();
          }}
        />
      ) : null}
      {removing === undefined ? null : (
        <ConfirmDialog
          title={t('security.passkeyRemoveTitle', { name: removing.name })}
          text={t('security.passkeyRemoveText')}
          deed={t('common.remove')}
          onConfirm={() => guarded(() => removePasskey(removing.id)).then(refresh)}
          onClose={() => setRemoving(undefined)}
        />
      )}
      {dialog}
    </Card>
  );
}
