import { GitBranch, Lock } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { HeldField } from '../api/types.ts';

/** Why a field can only be read here: somebody else states it, or the reader may not change it. */
export function HeldFieldNote({ field }: { field: HeldField }) {
  const { t } = useTranslation();
  const manager = field.manager ?? '';
  const isManaged = field.reason === 'field_managed';
  const Icon = isManaged ? GitBranch : Lock;
  return (
    <span className="flex gap-2 rounded-lg bg-sunken px-3 py-2">
      <Icon className="mt-0.5 size-4 shrink-0" aria-hidden />
      <span>
        {isManaged ? (
          <>
            <strong className="font-medium text-foreground">{t('settings.managed', { manager })}.</strong>{' '}
            {t('settings.managedText', { manager })}
          </>
        ) : (
          t(field.reason === 'kept_by_platform' ? 'settings.keptByPlatform' : 'settings.notPermitted')
        )}
      </span>
    </span>
  );
}
