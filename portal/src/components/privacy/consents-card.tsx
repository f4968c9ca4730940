import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { acceptTerms, consentsQuery } from '../../api/privacy.ts';
import { termsQuery } from '../../api/terms.ts';
import { formatMoment } from '../../format/dates.ts';
import { useLanguage } from '../../hooks/language.ts';
import { Refusal } from '../refusal.tsx';
import { TermsText } from '../terms-consent.tsx';
import { Alert } from '../ui/alert.tsx';
import { Button } from '../ui/button.tsx';
import { Card, CardHeader } from '../ui/card.tsx';

/** Which versions of the terms one accepted; the way to accept a newer one. */
export function ConsentsCard() {
  const { t } = useTranslation();
  const language = useLanguage();
  const queryClient = useQueryClient();
  const { data: consents } = useQuery(consentsQuery);
  const { data: terms } = useQuery(termsQuery);
  const accepting = useMutation({
    mutationFn: acceptTerms,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: consentsQuery.queryKey }),
  });
  return (
    <Card>
      <CardHeader title={t('privacy.consentsTitle')} text={t('privacy.consentsText')} />
      <ul className="space-y-2 text-sm">
        {consents?.items.map(({ version, acceptedAt }) => (
          <li key={version}>
            <span className="font-medium">{t('privacy.version', { version })}</span>{' '}
            <span className="text-muted">{t('privacy.consentAt', { when: formatMoment(acceptedAt, language) })}</span>
          </li>
        ))}
      </ul>
      {consents?.items.length === 0 ? <p className="text-muted text-sm">{t('privacy.consentsNone')}</p> : null}
      {terms === undefined ? null : (
        <div className="-ml-[1.875rem] mt-4">
          <TermsText terms={terms} />
        </div>
      )}
      {consents?.accepted === false ? (
        <div className="mt-5 space-y-4">
          <Alert tone="warning">{t('privacy.acceptNew')}</Alert>
          <Button busy={accepting.isPending} onClick={() => accepting.mutate(consents.current)}>
            {t('privacy.accept')}
          </Button>
        </div>
      ) : null}
      <Refusal error={accepting.error} />
    </Card>
  );
}
