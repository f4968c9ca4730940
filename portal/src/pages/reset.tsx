import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BadgeCheck, Unlink } from 'lucide-react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { resetPassword } from '../api/account.ts';
import { EntryHeader, Statement } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Button } from '../components/ui/button.tsx';
import { Field } from '../components/ui/field.tsx';
import { PasswordInput } from '../components/ui/password-input.tsx';
import { faultText } from '../forms/fault.ts';
import { newPassword } from '../forms/schemas.ts';
import { useFragment } from '../hooks/fragment.ts';

const Choice = z.object({ password: newPassword });

/** Sets a new password with the token of a mail. */
export function ResetPage() {
  const { t } = useTranslation();
  const token = useFragment().get('token') ?? undefined;
  const setting = useMutation({ mutationFn: resetPassword });
  const form = useForm({ resolver: zodResolver(Choice), defaultValues: { password: '' } });
  if (token === undefined) {
    return (
      <Statement icon={<Unlink aria-hidden />} title={t('confirm.failed')} text={t('confirm.noToken')}>
        <Button asChild variant="secondary">
          <Link to="/forgot">{t('reset.request')}</Link>
        </Button>
      </Statement>
    );
  }
  if (setting.isSuccess) {
    return (
      <Statement icon={<BadgeCheck aria-hidden />} title={t('reset.done')} text={t('reset.doneText')}>
        <Button asChild size="large" className="w-full">
          <Link to="/sign-in">{t('confirm.signIn')}</Link>
        </Button>
      </Statement>
    );
  }
  return (
    <>
      <EntryHeader title={t('reset.title')} text={t('reset.text')} />
      <form
        onSubmit={form.handleSubmit(({ password }) => setting.mutate({ token, password }))}
        noValidate
        className="space-y-5"
      >
        <Field
          label={t('common.newPassword')}
          hint={t('common.passwordHint')}
          fault={faultText(t, form.formState.errors.password)}
        >
          {(control) => <PasswordInput {...control} {...form.register('password')} autoComplete="new-password" />}
        </Field>
        <Refusal error={setting.error} />
        <Button type="submit" size="large" className="w-full" busy={setting.isPending}>
          {t('reset.submit')}
        </Button>
      </form>
      <p className="mt-7 text-center">
        <Link to="/forgot" className="font-medium text-primary text-sm underline underline-offset-4">
          {t('reset.request')}
        </Link>
      </p>
    </>
  );
}
