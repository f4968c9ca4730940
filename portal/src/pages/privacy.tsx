import { useTranslation } from 'react-i18next';
import { PageHeader } from '../components/page.tsx';

/** One's own data. */
export function PrivacyPage() {
  const { t } = useTranslation();
  return <PageHeader title={t('privacy.title')} text={t('privacy.text')} />;
}
