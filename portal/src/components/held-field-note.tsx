import { GitBranch } from 'lucide-react';
import { useTranslation } from 'react-i18next';

/** Why a field can only be read here: somebody else states it. */
export function HeldFieldNote({ manager }: { manager: string }) {
  const { t } = useTranslation();
  return (
    <span className="flex gap-2 rounded-lg bg-sunken px-3 py-2">
      <GitBranch className="mt-0.5 size-4 shrink-0" aria-hidden />
      <span>
        <strong className="font-medium text-foreground">{t('settings.managed', { manager })}.</strong>{' '}
        {t('settings.managedText', { manager })}
      </span>
    </span>
  );
}
