import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Radio, WifiOff } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { budgetQuery } from '../api/tenants.ts';
import type { Budget } from '../api/types.ts';
import { formatDayAfter } from '../format/dates.ts';
import { formatEuro, percentOf } from '../format/money.ts';
import { useLanguage } from '../hooks/language.ts';
import { useLiveBudget } from '../hooks/live-budget.ts';
import { Alert } from './ui/alert.tsx';
import { Card, CardHeader } from './ui/card.tsx';
import { classNames } from './ui/class-names.ts';

/** Below this percentage of what was granted the page says that little is left. */
const LOW_PERCENT = 10;

/** Milliseconds between two looks of somebody whom the tenant's events do not reach. */
const POLL_MS = 10_000;

/** What the tenant has, has spent and holds, as it moves. */
export function BudgetCard({ tenant, follows }: { tenant: string; follows: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const connected = useLiveBudget(tenant, follows);
  const isTold = follows && connected;
  const { data: budget } = useQuery({ ...budgetQuery(tenant), refetchInterval: isTold ? false : POLL_MS });
  const month = budget === undefined ? '' : monthOf(budget.period, language);
  return (
    <Card aria-labelledby="budget">
      <CardHeader
        id="budget"
        title={
          <>
            {t('budget.title')} <span className="font-normal text-muted">{t('budget.period', { month })}</span>
          </>
        }
        action={
          <span className={classNames('flex items-center gap-1.5 text-muted text-sm', !follows && 'hidden')}>
            {connected ? (
              <Radio className="size-4 text-success" aria-hidden />
            ) : (
              <WifiOff className="size-4 text-warning" aria-hidden />
            )}
            {t(connected ? 'budget.live' : 'budget.away')}
          </span>
        }
      />
      {budget === undefined ? <div className="h-28" /> : <Meter budget={budget} />}
    </Card>
  );
}

function Meter({ budget }: { budget: Budget }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const granted = BigInt(budget.grantedNanoEur);
  const posted = BigInt(budget.postedNanoEur);
  const held = BigInt(budget.heldNanoEur) + BigInt(budget.leasedNanoEur);
  const available = BigInt(budget.availableNanoEur);
  const spentPercent = percentOf(posted, granted);
  const heldPercent = percentOf(held, granted);
  const day = formatDayAfter(budget.period, language);
  const figures = [
    { key: 'spent', amount: posted, dot: 'bg-primary' },
    { key: 'held', amount: held, dot: 'bg-warning' },
    { key: 'available', amount: available, dot: 'border border-control bg-sunken' },
  ] as const;
  return (
    <>
      <p className="tabular flex flex-wrap items-baseline gap-x-2">
        <span className="font-semibold text-3xl tracking-tight">{formatEuro(available, language)}</span>
        <span className="text-muted">
          {t('budget.available')} {t('budget.of', { amount: formatEuro(granted, language) })}
        </span>
      </p>
      <div
        role="img"
        aria-label={t('budget.meter', { spent: spentPercent, held: heldPercent })}
        className="mt-4 flex h-3 gap-px overflow-hidden rounded-full bg-sunken ring-1 ring-line ring-inset"
      >
        <Bar percent={spentPercent} atLeast={posted > 0n} className="bg-primary" />
        <Bar percent={heldPercent} atLeast={held > 0n} className="bg-warning" />
      </div>
      <dl className="mt-4 flex flex-wrap gap-x-8 gap-y-2 text-sm">
        {figures.map(({ key, amount, dot }) => (
          <div key={key} className="flex items-center gap-2" title={key === 'held' ? t('budget.heldHint') : undefined}>
            <span className={`size-2.5 rounded-full ${dot}`} aria-hidden />
            <dt className="text-muted">{t(`budget.${key}`)}</dt>
            <dd className="tabular font-medium">{formatEuro(amount, language)}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-4 text-muted text-sm">{t('budget.resets', { day })}</p>
      {percentOf(available, granted) < LOW_PERCENT ? (
        <Alert tone={available <= 0n ? 'danger' : 'warning'} className="mt-4">
          {available <= 0n ? t('budget.spentAll', { day }) : t('budget.low')}{' '}
          <Link to="/top-up" className="font-medium underline underline-offset-4">
            {t('budget.topUp')}
          </Link>
        </Alert>
      ) : null}
    </>
  );
}

function Bar({ percent, atLeast, className }: { percent: number; atLeast: boolean; className: string }) {
  // what is there must be seen, however little it is
  const width = atLeast ? `max(3px, ${percent}%)` : '0';
  return <div className={`transition-[width] duration-500 ${className}`} style={{ width }} />;
}

/** The month of a period such as "2026-11". */
function monthOf(period: string, language: string): string {
  const format = new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' });
  return format.format(new Date(`${period}-01T00:00:00Z`));
}
