import { Check, Circle, LoaderCircle, TriangleAlert } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Progress } from '../api/types.ts';
import { hindrance, progressSteps, type StepState } from '../tenant/progress-steps.ts';
import { Alert } from './ui/alert.tsx';
import { Card, CardHeader } from './ui/card.tsx';
import { classNames } from './ui/class-names.ts';

const icons = { done: Check, active: LoaderCircle, waiting: Circle, failed: TriangleAlert };
const looks: Record<StepState, string> = {
  done: 'bg-success-soft text-on-success-soft',
  active: 'bg-primary-soft text-on-primary-soft',
  waiting: 'bg-sunken text-muted',
  failed: 'bg-danger-soft text-on-danger-soft',
};
/** Reasons that have a sentence of their own. */
const EXPLAINED = ['HostnameTaken', 'PlanNotFound', 'NoModels', 'QuotaExceeded', 'PodUnschedulable'] as const;
const ALSO_EXPLAINED = ['ImageUnavailable', 'PodCrashing'] as const;

/** A tenant that is being made, step by step. */
export function ProgressCard({ progress }: { progress: Progress | undefined }) {
  const { t } = useTranslation();
  const reason = hindrance(progress);
  const known = [...EXPLAINED, ...ALSO_EXPLAINED].find((name) => name === reason);
  return (
    <Card className="max-w-2xl">
      <CardHeader title={t('progress.title')} text={t('progress.text')} />
      <ol className="space-y-1" aria-live="polite">
        {progressSteps(progress).map(({ name, state }) => {
          const Icon = icons[state];
          return (
            <li key={name} className="flex items-center gap-3 py-1.5">
              <span
                className={classNames('flex size-7 shrink-0 items-center justify-center rounded-full', looks[state])}
              >
                <Icon className={classNames('size-4', state === 'active' && 'animate-spin')} aria-hidden />
              </span>
              <span className={classNames('flex-1', state === 'waiting' ? 'text-muted' : 'font-medium')}>
                {t(`progress.step.${name}`)}
              </span>
              <span className="text-muted text-sm">{t(`progress.state.${state}`)}</span>
            </li>
          );
        })}
      </ol>
      {reason === undefined ? null : (
        <Alert tone="warning" title={t('progress.failed')} className="mt-5">
          {t(`progress.reason.${known ?? 'other'}`)} {t('progress.failedText')}
        </Alert>
      )}
    </Card>
  );
}
