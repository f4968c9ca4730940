import { useSuspenseQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { accountQuery } from '../api/account.ts';
import { PageHeader } from '../components/page.tsx';
import { LinkedCard } from '../components/security/linked-card.tsx';
import { PasskeysCard } from '../components/security/passkeys-card.tsx';
import { PasswordCard } from '../components/security/password-card.tsx';
import { RecoveryCard } from '../components/security/recovery-card.tsx';
import { TotpCard } from '../components/security/totp-card.tsx';

/** How one signs in, and what protects that. */
export function SecurityPage() {
  const { t } = useTranslation();
  const { data: account } = useSuspenseQuery(accountQuery);
  const { password, secondFactors } = account.methods;
  return (
    <div className="max-w-2xl space-y-6">
      <PageHeader title={t('security.title')} text={t('security.text')} />
      <PasswordCard hasPassword={password} />
      <TotpCard enrolled={secondFactors.includes('totp')} />
      <PasskeysCard />
      {secondFactors.length > 0 ? <RecoveryCard /> : null}
      <LinkedCard />
    </div>
  );
}
