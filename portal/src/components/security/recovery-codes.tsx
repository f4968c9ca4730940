import { Download } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { saveText } from '../../layout/save-text.ts';
import { Alert } from '../ui/alert.tsx';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { Actions, Dialog } from '../ui/dialog.tsx';

const FILE_NAME = 'cloudfreedom-recovery-codes.txt';

/** Recovery codes, shown this once: to copy, save or print. */
export function RecoveryCodesDialog({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  const { t } = useTranslation();
  const text = codes.join('\n');
  return (
    <Dialog
      open
      persistent
      onOpenChange={onClose}
      title={t('security.recoveryTitle')}
      text={t('security.recoveryText')}
    >
      <Alert tone="warning">{t('security.recoveryShown')}</Alert>
      <ul className="tabular mt-4 grid grid-cols-2 gap-x-6 gap-y-2 rounded-lg bg-sunken p-4 text-center font-mono text-sm">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="mt-4 flex flex-wrap gap-2">
        <CopyButton text={text} />
        <Button variant="secondary" size="small" onClick={() => saveText(FILE_NAME, text)}>
          <Download aria-hidden />
          {t('security.recoveryDownload')}
        </Button>
      </div>
      <Actions>
        <Button onClick={onClose}>{t('security.recoveryDone')}</Button>
      </Actions>
    </Dialog>
  );
}
