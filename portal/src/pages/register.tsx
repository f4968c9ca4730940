import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { MailCheck } from 'lucide-react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { register as registerAccount, resendRegistration } from '../api/account.ts';
import { termsQuery } from '../api/terms.ts';
import { EntryHeader, Statement } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { TermsConsent } from '../components/terms-consent.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Button } from '../components/ui/button.tsx';
import { Field } from '../components/ui/field.tsx';
import { Input } from '../components/ui/input.tsx';
import { PasswordInput } from '../components/ui/password-input.tsx';
import { faultText } from '../forms/fault.ts';
import { email, newPassword, personName } from '../forms/schemas.ts';
import { useLanguage } from '../hooks/language.ts';
import { noteWayOn } from '../layout/way-on.ts';

const Registration = z.object({
  name: personName,
  email,
  password: newPassword,
  accepted: z.literal(true, 'fault.terms'),
});
type Registration = z.input<typeof Registration>;

/** Makes an account; the mail that follows confirms its address. */
export function RegisterPage() {
  const { t } = useTranslation();
  const language = useLanguage();
  const search = useSearch({ from: '/entry/register' });
  const { data: terms, error: termsError } = useQuery(termsQuery);
  const queryClient = useQueryClient();
  const sending = useMutation({
    mutationFn: async (wish: Omit<Registration, 'accepted'>) => {
      // whoever is quicker than the terms waits for them: a press is never for nothing
      const { version } = await queryClient.ensureQueryData(termsQuery);
      return registerAccount({ ...wish, language, termsVersion: version });
    },
    onSuccess: () => noteWayOn(search.return_to),
  });
  const form = useForm<Registration>({ resolver: zodResolver(Registration), mode: 'onTouched' });
  const { errors } = form.formState;
  if (sending.isSuccess) return <LookIntoYourMail email={form.getValues('email')} onAgain={() => sending.reset()} />;
  const submit = form.handleSubmit(({ name, email, password }) => sending.mutate({ name, email, password }));
  return (
    <>
      <EntryHeader title={t('register.title')} text={t('register.text')} />
      <form onSubmit={submit} noValidate className="space-y-5">
        <Field label={t('common.name')} hint={t('register.nameHint')} fault={faultText(t, errors.name)}>
          {(control) => <Input {...control} {...form.register('name')} autoComplete="name" />}
        </Field>
        <Field label={t('common.email')} fault={faultText(t, errors.email)}>
          {(control) => <Input {...control} {...form.register('email')} type="email" autoComplete="email" />}
        </Field>
        <Field label={t('common.password')} hint={t('common.passwordHint')} fault={faultText(t, errors.password)}>
          {(control) => <PasswordInput {...control} {...form.register('password')} autoComplete="new-password" />}
        </Field>
        <TermsConsent terms={terms} fault={faultText(t, errors.accepted)} register={() => form.register('accepted')} />
        <Refusal error={sending.error ?? termsError} />
        <Button type="submit" size="large" className="w-full" busy={sending.isPending}>
          {t('register.submit')}
        </Button>
      </form>
      <p className="mt-7 text-center text-muted text-sm">
        {t('register.known')}{' '}
        <Link to="/sign-in" search={search} className="font-medium text-primary underline underline-offset-4">
          {t('register.signIn')}
        </Link>
      </p>
    </>
  );
}

function LookIntoYourMail({ email, onAgain }: { email: string; onAgain: () => void }) {
  const { t } = useTranslation();
  const resending = useMutation({ mutationFn: resendRegistration });
  return (
    <div role="status">
      <Statement
        icon={<MailCheck aria-hidden />}
        title={t('register.mailTitle')}
        text={
          <div className="space-y-3">
            <p className="break-words">{t('register.mailText', { email })}</p>
            <p>{t('register.mailHint')}</p>
          </div>
        }
      >
        <div className="flex flex-wrap gap-3">
          <Button variant="secondary" busy={resending.isPending} onClick={() => resending.mutate(email)}>
            {t('register.resend')}
          </Button>
          <Button variant="ghost" onClick={onAgain}>
            {t('register.again')}
          </Button>
        </div>
        {resending.isSuccess ? <Alert tone="success">{t('register.resent')}</Alert> : null}
        <Refusal error={resending.error} />
      </Statement>
    </div>
  );
}
