import { useRouter } from '@tanstack/react-router';
import { CloudOff } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { problemText } from '../api/problem-text.ts';
import { Statement } from '../components/page.tsx';
import { Button } from '../components/ui/button.tsx';

/** A page could not be shown: the server is away, the network is, or the API refused. */
export function WentWrongPage({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const router = useRouter();
  return (
    <div role="alert" className="mx-auto flex min-h-[70dvh] w-full max-w-md items-center px-5 py-12">
      <Statement icon={<CloudOff aria-hidden />} title={t('wentWrong.title')} text={problemText(t, error)}>
        <Button onClick={() => router.invalidate()}>{t('wentWrong.again')}</Button>
      </Statement>
    </div>
  );
}
