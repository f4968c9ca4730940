import { useTranslation } from 'react-i18next';
import type { IssuedKey } from '../api/types.ts';
import { keySnippets } from '../tenant/key-snippets.ts';
import { Alert } from './ui/alert.tsx';
import { Button } from './ui/button.tsx';
import { CodeBlock } from './ui/code-block.tsx';
import { Actions, Dialog } from './ui/dialog.tsx';

/** A model that every plan includes. */
const FIRST_MODEL = 'gpt-4o-mini';

/** A new key's secret, shown this once, with lines to try it. A stray click beside the dialog does not lose it. */
export function IssuedKeyView({ issued, host, onClose }: { issued: IssuedKey; host: string; onClose: () => void }) {
  const { t } = useTranslation();
  const snippets = keySnippets(host, issued.key, FIRST_MODEL);
  return (
    <Dialog open persistent onOpenChange={onClose} title={t('keys.madeTitle')}>
      <div className="space-y-4">
        <Alert tone="warning">{t('keys.madeText')}</Alert>
        <CodeBlock label={t('keys.secret')} text={issued.key} />
        {issued.scopes.includes('chat') ? (
          <>
            <h3 className="pt-2 font-semibold">{t('keys.tryIt')}</h3>
            <CodeBlock label="curl" text={snippets.curl} />
            <CodeBlock label={t('keys.nodeLabel')} text={snippets.node} />
            <CodeBlock label={t('keys.pythonLabel')} text={snippets.python} />
          </>
        ) : null}
      </div>
      <Actions>
        <Button onClick={onClose}>{t('keys.done')}</Button>
      </Actions>
    </Dialog>
  );
}
