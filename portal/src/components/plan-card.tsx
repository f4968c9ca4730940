import { Check } from 'lucide-react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { Plan } from '../api/types.ts';
import { formatEuro } from '../format/money.ts';
import { useLanguage } from '../hooks/language.ts';
import { classNames } from './ui/class-names.ts';

type Props = { plan: Plan; chosen: boolean; onChoose: () => void };

/** A plan as a choice of a radio group: what it costs, what is in it. One by agreement cannot be chosen here. */
export function PlanCard({ plan, chosen, onChoose }: Props) {
  const { t } = useTranslation();
  const language = useLanguage();
  const id = useId();
  const byAgreement = plan.pricePerMonthNanoEur === null;
  const contents = [
    plan.monthlyBudgetNanoEur === null
      ? t('newTenant.budgetByAgreement')
      : t('newTenant.budget', { amount: formatEuro(plan.monthlyBudgetNanoEur, language) }),
    plan.maxMembers === null ? t('newTenant.peopleAny') : t('newTenant.people', { count: plan.maxMembers }),
    ...plan.modelClasses.map((modelClass) => t(`newTenant.models.${modelClass}`)),
    t(`newTenant.support.${plan.supportLevel}`),
  ];
  return (
    <div
      className={classNames(
        'relative flex flex-col rounded-xl border bg-surface p-5 shadow-card transition-colors has-focus-visible:outline-2 has-focus-visible:outline-ring has-focus-visible:outline-offset-2',
        chosen ? 'border-primary ring-1 ring-primary' : 'border-line',
        byAgreement ? '' : 'hover:border-control',
      )}
    >
      <div className="flex items-start justify-between gap-3">
        {byAgreement ? (
          <p className="font-semibold text-lg">{plan.displayName}</p>
        ) : (
          <>
            {/* the label spreads over the card: all of it can be pressed */}
            <label htmlFor={id} className="cursor-pointer font-semibold text-lg after:absolute after:inset-0">
              {plan.displayName}
            </label>
            <input
              id={id}
              type="radio"
              name="plan"
              aria-describedby={`${id}-contents`}
              className="mt-1 size-[1.125rem] accent-primary outline-none"
              checked={chosen}
              onChange={onChoose}
            />
          </>
        )}
      </div>
      <div id={`${id}-contents`}>
        <p className="tabular mt-2 min-h-9">
          {plan.pricePerMonthNanoEur === null ? (
            <span className="font-medium text-lg">{t('newTenant.byAgreement')}</span>
          ) : (
            <>
              <span className="font-semibold text-2xl tracking-tight">
                {formatEuro(plan.pricePerMonthNanoEur, language)}
              </span>{' '}
              <span className="text-muted text-sm">{t('newTenant.perMonth')}</span>
            </>
          )}
        </p>
        <ul className="mt-4 space-y-2 border-line border-t pt-4 text-sm">
          {contents.map((line) => (
            <li key={line} className="flex gap-2.5">
              <Check className="mt-0.5 size-4 shrink-0 text-success" aria-hidden />
              {line}
            </li>
          ))}
        </ul>
        {byAgreement ? <p className="mt-4 text-muted text-sm">{t('newTenant.contact')}</p> : null}
      </div>
    </div>
  );
}
