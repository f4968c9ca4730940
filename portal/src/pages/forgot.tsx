import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { MailCheck } from 'lucide-react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { requestReset } from '../api/account.ts';
import { EntryHeader, Statement } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Button } from '../components/ui/button.tsx';
import { Field } from '../components/ui/field.tsx';
import { Input } from '../components/ui/input.tsx';
import { faultText } from '../forms/fault.ts';
import { email } from '../forms/schemas.ts';

const Wish = z.object({ email });

/** Asks for the mail that resets a password. The answer is the same whether the address is known or not. */
export function ForgotPage() {
  const { t } = useTranslation();
  const sending = useMutation({ mutationFn: requestReset });
  const form = useForm({ resolver: zodResolver(Wish), defaultValues: { email: '' } });
  const back = (
    <Link to="/sign-in" className="font-medium text-primary text-sm underline underline-offset-4">
      {t('forgot.back')}
    </Link>
  );
  if (sending.isSuccess) {
    const text = t('forgot.sentText', { email: form.getValues('email') });
    return (
      <Statement icon={<MailCheck aria-hidden />} title={t('forgot.sentTitle')} text={text}>
        {back}
      </Statement>
    );
  }
  return (
    <>
      <EntryHeader title={t('forgot.title')} text={t('forgot.text')} />
      <form onSubmit={form.handleSubmit((wish) => sending.mutate(wish.email))} noValidate className="space-y-5">
        <Field label={t('common.email')} fault={faultText(t, form.formState.errors.email)}>
          {(control) => <Input {...control} {...form.register('email')} type="email" autoComplete="email" />}
        </Field>
        <Refusal error={sending.error} />
        <Button type="submit" size="large" className="w-full" busy={sending.isPending}>
          {t('forgot.submit')}
        </Button>
      </form>
      <p className="mt-7 text-center">{back}</p>
    </>
  );
}
