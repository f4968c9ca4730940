import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { accountQuery, confirmAddressChange, undoAddressChange } from '../api/account.ts';
import { TokenPage } from '../components/token-page.tsx';
import { Button } from '../components/ui/button.tsx';
import { useFragment } from '../hooks/fragment.ts';

/** The link of the mail that goes to a new address, which takes the old one's place; or of the one to the old, which takes it back. */
export function ChangeAddressPage() {
  const fragment = useFragment();
  const undo = fragment.get('undo');
  return undo === null ? <Confirm token={fragment.get('token') ?? undefined} /> : <Undo token={undo} />;
}

function Confirm({ token }: { token: string | undefined }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const perform = async (given: string) => {
    await confirmAddressChange(given);
    await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
  };
  const toAccount = (
    <Button asChild variant="secondary">
      <Link to="/account">{t('changeAddress.account')}</Link>
    </Button>
  );
  return (
    <TokenPage
      token={token}
      perform={perform}
      ask={{ title: t('changeAddress.title'), text: t('changeAddress.ask'), button: t('changeAddress.button') }}
      done={{ title: t('changeAddress.done'), text: t('changeAddress.doneText'), next: toAccount }}
      failed={{ title: t('changeAddress.failed'), next: toAccount }}
    />
  );
}

function Undo({ token }: { token: string }) {
  const { t } = useTranslation();
  const toSignIn = (
    <Button asChild variant="secondary">
      <Link to="/sign-in">{t('confirm.signIn')}</Link>
    </Button>
  );
  return (
    <TokenPage
      token={token}
      perform={undoAddressChange}
      ask={{
        title: t('changeAddress.undoTitle'),
        text: t('changeAddress.undoAsk'),
        button: t('changeAddress.undoButton'),
      }}
      done={{ title: t('changeAddress.undone'), text: t('changeAddress.undoneText'), next: toSignIn }}
      failed={{ title: t('changeAddress.failed'), next: toSignIn }}
    />
  );
}
