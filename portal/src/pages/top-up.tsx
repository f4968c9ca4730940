import { Link } from '@tanstack/react-router';
import { WalletCards } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Statement } from '../components/page.tsx';
import { Button } from '../components/ui/button.tsx';

/** Where a refusal in the chat sends people. Topping up by oneself arrives with billing; until then it says whom to ask. */
export function TopUpPage() {
  const { t } = useTranslation();
  return (
    <Statement
      icon={<WalletCards aria-hidden />}
      title={t('topUp.title')}
      text={
        <div className="space-y-3">
          <p>{t('topUp.text')}</p>
          <p>{t('topUp.whom')}</p>
        </div>
      }
    >
      <Button asChild variant="secondary">
        <Link to="/">{t('topUp.home')}</Link>
      </Button>
    </Statement>
  );
}
