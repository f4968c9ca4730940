import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { accountQuery, changeAccount, requestAddressChange } from '../api/account.ts';
import type { Account } from '../api/types.ts';
import { PageHeader } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Button } from '../components/ui/button.tsx';
import { Card, CardHeader } from '../components/ui/card.tsx';
import { Field } from '../components/ui/field.tsx';
import { Input, Select } from '../components/ui/input.tsx';
import { faultText } from '../forms/fault.ts';
import { email, personName } from '../forms/schemas.ts';
import { useReauthentication } from '../hooks/reauthentication.tsx';
import { changeLanguage } from '../i18n/i18n.ts';
import { languageNames, languages } from '../i18n/languages.ts';

/** Name, language and address of the person who is signed in. */
export function ProfilePage() {
  const { t } = useTranslation();
  const { data: account } = useSuspenseQuery(accountQuery);
  return (
    <div className="max-w-2xl space-y-6">
      <PageHeader title={t('profile.title')} text={t('profile.text')} />
      <NameAndLanguage account={account} />
      <Address account={account} />
    </div>
  );
}

const Profile = z.object({ name: personName, language: z.enum(languages) });

function NameAndLanguage({ account }: { account: Account }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const saving = useMutation({
    mutationFn: changeAccount,
    onSuccess: async (changed) => {
      queryClient.setQueryData(accountQuery.queryKey, changed);
      await changeLanguage(changed.language, true);
    },
  });
  const form = useForm({
    resolver: zodResolver(Profile),
    defaultValues: { name: account.name, language: account.language },
  });
  return (
    <Card>
      <form onSubmit={form.handleSubmit((profile) => saving.mutate(profile))} noValidate className="space-y-5">
        <Field label={t('common.name')} hint={t('register.nameHint')} fault={faultText(t, form.formState.errors.name)}>
          {(control) => <Input {...control} {...form.register('name')} autoComplete="name" />}
        </Field>
        <Field label={t('profile.language')} hint={t('profile.languageHint')}>
          {(control) => (
            <Select {...control} {...form.register('language')}>
              {languages.map((language) => (
                <option key={language} value={language}>
                  {languageNames[language]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Refusal error={saving.error} />
        {saving.isSuccess ? <Alert tone="success">{t('common.saved')}</Alert> : null}
        <Button type="submit" busy={saving.isPending}>
          {t('common.save')}
        </Button>
      </form>
    </Card>
  );
}

const Wish = z.object({ email });

function Address({ account }: { account: Account }) {
  const { t } = useTranslation();
  const { guarded, dialog } = useReauthentication();
  const asking = useMutation({ mutationFn: (wish: string) => guarded(() => requestAddressChange(wish)) });
  const form = useForm({ resolver: zodResolver(Wish), defaultValues: { email: '' } });
  return (
    <Card>
      <CardHeader title={t('profile.addressTitle')} text={t('profile.addressText')} />
      <p className="mb-5 break-all font-medium">{account.email}</p>
      <form onSubmit={form.handleSubmit((wish) => asking.mutate(wish.email))} noValidate className="space-y-5">
        <Field label={t('profile.newAddress')} fault={faultText(t, form.formState.errors.email)}>
          {(control) => <Input {...control} {...form.register('email')} type="email" autoComplete="email" />}
        </Field>
        <Refusal error={asking.error} />
        {asking.isSuccess ? <Alert tone="success">{t('profile.sent', { email: asking.variables })}</Alert> : null}
        <Button type="submit" variant="secondary" busy={asking.isPending}>
          {t('profile.change')}
        </Button>
      </form>
      {dialog}
    </Card>
  );
}
