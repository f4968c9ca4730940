import { LoaderCircle } from 'lucide-react';
import { useTranslation } from 'react-i18next';

/** Something is on its way. */
export function Spinner() {
  const { t } = useTranslation();
  return (
    <div role="status" className="flex items-center justify-center gap-3 py-16 text-muted">
      <LoaderCircle className="size-5 animate-spin" aria-hidden />
      {t('common.loading')}
    </div>
  );
}
