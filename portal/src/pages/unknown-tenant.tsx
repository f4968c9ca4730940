import { Link } from '@tanstack/react-router';
import { DoorClosed } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Statement } from '../components/page.tsx';
import { Button } from '../components/ui/button.tsx';

/** There is no such tenant, or the reader does not belong to it: which of the two is nobody's business. */
export function UnknownTenantPage() {
  const { t } = useTranslation();
  return (
    <div className="mx-auto max-w-md py-10">
      <Statement icon={<DoorClosed aria-hidden />} title={t('notFound.title')} text={t('problem.tenant_unknown')}>
        <Button asChild>
          <Link to="/">{t('notFound.home')}</Link>
        </Button>
      </Statement>
    </div>
  );
}
