import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Statement } from '../components/page.tsx';
import { Button } from '../components/ui/button.tsx';

/** There is no such page. */
export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <div className="mx-auto flex min-h-[70dvh] w-full max-w-md items-center px-5 py-12">
      <Statement icon={<Compass aria-hidden />} title={t('notFound.title')} text={t('notFound.text')}>
        <Button asChild>
          <Link to="/">{t('notFound.home')}</Link>
        </Button>
      </Statement>
    </div>
  );
}
