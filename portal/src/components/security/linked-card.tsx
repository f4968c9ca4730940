import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { beginLink, identitiesQuery, unlinkIdentity } from '../../api/second-factors.ts';
import { type Provider, providersQuery } from '../../api/sign-in.ts';
import { useReauthentication } from '../../hooks/reauthentication.tsx';
import { Refusal } from '../refusal.tsx';
import { Button } from '../ui/button.tsx';
import { Card, CardHeader } from '../ui/card.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';

/** Accounts at other services with which one signs in; nothing where the platform has set up none. */
export function LinkedCard() {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const { guarded, dialog } = useReauthentication();
  const { data: providers } = useQuery(providersQuery);
  const { data: identities } = useQuery(identitiesQuery);
  const [unlinking, setUnlinking] = useState<Provider>();
  const linking = useMutation({ mutationFn: (provider: Provider['provider']) => guarded(() => beginLink(provider)) });
  if (providers === undefined || providers.length === 0) return null;
  const refresh = () => queryClient.invalidateQueries({ queryKey: identitiesQuery.queryKey });
  return (
    <Card>
      <CardHeader title={t('security.linkedTitle')} text={t('security.linkedText')} />
      <ul className="divide-y divide-line">
        {providers.map((provider) => {
          const identity = identities?.find((candidate) => candidate.provider === provider.provider);
          return (
            <li
              key={provider.provider}
              className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3 first:pt-0 last:pb-0"
            >
              <div className="min-w-0 flex-1 basis-40">
                <p className="font-medium">{provider.title}</p>
                {identity === undefined ? null : (
                  <p className="break-all text-muted text-sm">{t('security.linked', { account: identity.email })}</p>
                )}
              </div>
              {identity === undefined ? (
                <Button
                  variant="secondary"
                  size="small"
                  busy={linking.isPending && linking.variables === provider.provider}
                  onClick={() => linking.mutate(provider.provider)}
                >
                  {t('security.link', { name: provider.title })}
                </Button>
              ) : (
                <Button variant="quietDanger" size="small" onClick={() => setUnlinking(provider)}>
                  {t('security.unlink')}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      <Refusal error={linking.error} />
      {unlinking === undefined ? null : (
        <ConfirmDialog
          title={t('security.unlinkTitle', { name: unlinking.title })}
          text={t('security.unlinkText')}
          deed={t('security.unlink')}
          onConfirm={() => guarded(() => unlinkIdentity(unlinking.provider)).then(refresh)}
          onClose={() => setUnlinking(undefined)}
        />
      )}
      {dialog}
    </Card>
  );
}
