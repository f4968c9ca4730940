import { Eraser } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Statement } from '../components/page.tsx';

/** After an account was erased. */
export function ErasedPage() {
  const { t } = useTranslation();
  return <Statement icon={<Eraser aria-hidden />} title={t('privacy.erasedTitle')} text={t('privacy.erasedText')} />;
}
