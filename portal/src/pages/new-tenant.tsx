import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Globe } from 'lucide-react';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { Trans, useTranslation } from 'react-i18next';
import { z } from 'zod';
import { accountQuery } from '../api/account.ts';
import { createTenant, plansQuery } from '../api/tenants.ts';
import { PageHeader } from '../components/page.tsx';
import { PlanCard } from '../components/plan-card.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Button } from '../components/ui/button.tsx';
import { Card, CardHeader } from '../components/ui/card.tsx';
import { Field } from '../components/ui/field.tsx';
import { Input } from '../components/ui/input.tsx';
import { faultText } from '../forms/fault.ts';
import { useLanguage } from '../hooks/language.ts';
import { baseDomainOf } from '../tenant/host.ts';
import { reservedNames, shortNameOf } from '../tenant/short-name.ts';

const MAX_DISPLAY_NAME_LENGTH = 80;
const MAX_NAME_LENGTH = 40;

const Wish = z.object({
  displayName: z
    .string()
    .trim()
    .min(1, 'fault.required')
    .max(MAX_DISPLAY_NAME_LENGTH, `fault.tooLong:${MAX_DISPLAY_NAME_LENGTH}`),
  name: z
    .string()
    .trim()
    .min(1, 'fault.required')
    .max(MAX_NAME_LENGTH, `fault.tooLong:${MAX_NAME_LENGTH}`)
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, 'fault.tenantName')
    .refine((name) => !reservedNames.includes(name), 'fault.tenantReserved'),
});

/** Chooses a plan, names the tenant, has it made. */
export function NewTenantPage() {
  const { t } = useTranslation();
  const language = useLanguage();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const { data: plans } = useSuspenseQuery(plansQuery);
  const offered = plans.filter(({ pricePerMonthNanoEur }) => pricePerMonthNanoEur !== null);
  const [plan, setPlan] = useState(offered[0]?.plan);
  const chosen = plans.find((candidate) => candidate.plan === plan);
  const form = useForm({
    resolver: zodResolver(Wish),
    mode: 'onTouched',
    defaultValues: { displayName: '', name: '' },
  });
  const { errors, dirtyFields } = form.formState;
  const creating = useMutation({
    mutationFn: createTenant,
    onSuccess: async (_, { name }) => {
      await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
      await navigate({ to: '/tenants/$tenant', params: { tenant: name } });
    },
  });
  if (plan === undefined || chosen === undefined) {
    return (
      <>
        <PageHeader title={t('newTenant.title')} />
        <Alert tone="warning">{t('newTenant.noPlans')}</Alert>
      </>
    );
  }
  const host = `${form.watch('name') || t('newTenant.someName')}.${baseDomainOf(window.location.hostname)}`;
  const submit = form.handleSubmit((wish) => creating.mutate({ ...wish, plan, language }));
  const percent = chosen.marginPercent;
  const total = new Intl.NumberFormat(language).format(1 + percent / 100);
  return (
    <form onSubmit={submit} noValidate>
      <PageHeader title={t('newTenant.title')} text={t('newTenant.text')} />
      <fieldset>
        <legend className="mb-3 font-semibold text-lg">{t('newTenant.planStep')}</legend>
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          {plans.map((candidate) => (
            <PlanCard
              key={candidate.plan}
              plan={candidate}
              chosen={candidate.plan === plan}
              onChoose={() => setPlan(candidate.plan)}
            />
          ))}
        </div>
      </fieldset>
      <section className="mt-5 rounded-xl bg-sunken px-5 py-4 text-sm" aria-labelledby="margin">
        <h2 id="margin" className="font-semibold">
          {t('newTenant.margin')}
        </h2>
        <p className="mt-1 max-w-prose text-muted">{t('newTenant.marginText', { percent, total })}</p>
      </section>
      <Card className="mt-8 max-w-2xl">
        <CardHeader title={t('newTenant.nameStep')} />
        <div className="space-y-5">
          <Field
            label={t('newTenant.displayName')}
            hint={t('newTenant.displayNameHint')}
            fault={faultText(t, errors.displayName)}
          >
            {(control) => (
              <Input
                {...control}
                {...form.register('displayName', {
                  onChange: (event) => {
                    // until the short name is the person's own choice it follows
                    if (!dirtyFields.name) form.setValue('name', shortNameOf(event.target.value));
                  },
                })}
                autoComplete="organization"
              />
            )}
          </Field>
          <Field label={t('newTenant.name')} hint={t('newTenant.nameHint')} fault={faultText(t, errors.name)}>
            {(control) => (
              <Input
                {...control}
                {...form.register('name')}
                autoCapitalize="none"
                autoComplete="off"
                spellCheck={false}
              />
            )}
          </Field>
          <p className="flex items-start gap-2.5 rounded-lg bg-primary-soft px-4 py-3 text-on-primary-soft text-sm">
            <Globe className="mt-0.5 size-4 shrink-0" aria-hidden />
            <span className="min-w-0 break-words">
              <Trans i18nKey="newTenant.preview" values={{ host }} components={{ host: <strong /> }} />
            </span>
          </p>
          <Refusal error={creating.error} />
          <Button type="submit" size="large" busy={creating.isPending} className="w-full sm:w-auto">
            {t('newTenant.create')}
          </Button>
        </div>
      </Card>
    </form>
  );
}
