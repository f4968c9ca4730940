import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Refusal } from '../refusal.tsx';
import { Button } from './button.tsx';
import { Actions, Dialog } from './dialog.tsx';

type Props = {
  title: string;
  text: ReactNode;
  /** What the acting button says: the deed, not "OK". */
  deed: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
  children?: ReactNode;
};

/** Asks before something that cannot be taken back, and shows why it did not work. */
export function ConfirmDialog({ title, text, deed, onConfirm, onClose, children }: Props) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const act = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={title} text={text}>
      {children}
      <Refusal error={error} />
      <Actions>
        <Button variant="secondary" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button variant="danger" busy={busy} onClick={act}>
          {deed}
        </Button>
      </Actions>
    </Dialog>
  );
}
