import { useTranslation } from 'react-i18next';
import { PageHeader } from '../components/page.tsx';
import { ConsentsCard } from '../components/privacy/consents-card.tsx';
import { ErasureCard } from '../components/privacy/erasure-card.tsx';
import { ExportCard } from '../components/privacy/export-card.tsx';

/** One's own data: a copy of it, the consents, its end. */
export function PrivacyPage() {
  const { t } = useTranslation();
  return (
    <div className="max-w-2xl space-y-6">
      <PageHeader title={t('privacy.title')} text={t('privacy.text')} />
      <ExportCard />
      <ConsentsCard />
      <ErasureCard />
    </div>
  );
}
