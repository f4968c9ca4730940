import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { LinkIcon, LockKeyhole, Unlink } from 'lucide-react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { confirmRegistration } from '../api/account.ts';
import { problemText } from '../api/problem-text.ts';
import { isCode } from '../api/queries.ts';
import { Statement } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Button } from '../components/ui/button.tsx';
import { Field } from '../components/ui/field.tsx';
import { PasswordInput } from '../components/ui/password-input.tsx';
import { faultText } from '../forms/fault.ts';
import { typedPassword } from '../forms/schemas.ts';
import { useFragment } from '../hooks/fragment.ts';
import { useSignedIn } from '../hooks/signed-in.ts';
import { takeWayOn } from '../layout/way-on.ts';

/**
 * The link of the first mail: the address is the registrant's own, and they are signed in. It takes a click, because
 * programs that look into links for dangers must not use up the token. In another browser than the one that registered
 * it takes the password, too.
 */
export function ConfirmPage() {
  const { t } = useTranslation();
  const token = useFragment().get('token') ?? undefined;
  const goOn = useSignedIn(takeWayOn());
  const confirming = useMutation({ mutationFn: confirmRegistration, onSuccess: goOn });
  const needsPassword = isCode(confirming.error, 'password_required') || confirming.variables?.password !== undefined;
  if (token !== undefined && needsPassword) {
    return (
      <WithPassword token={token} confirm={confirming.mutate} busy={confirming.isPending} error={confirming.error} />
    );
  }
  if (token === undefined || confirming.isError) {
    const text = token === undefined ? t('confirm.noToken') : problemText(t, confirming.error);
    return (
      <div role="alert">
        <Statement icon={<Unlink aria-hidden />} title={t('confirm.failed')} text={text}>
          <div className="flex flex-wrap gap-3">
            <Button asChild variant="secondary">
              <Link to="/register">{t('confirm.register')}</Link>
            </Button>
            <Button asChild variant="secondary">
              <Link to="/sign-in">{t('confirm.signIn')}</Link>
            </Button>
          </div>
        </Statement>
      </div>
    );
  }
  return (
    <Statement icon={<LinkIcon aria-hidden />} title={t('confirm.title')} text={t('confirm.ask')}>
      <Button
        size="large"
        className="w-full"
        busy={confirming.isPending || confirming.isSuccess}
        onClick={() => confirming.mutate({ token })}
      >
        {t('confirm.button')}
      </Button>
    </Statement>
  );
}

const Proof = z.object({ password: typedPassword });

type WithPasswordProps = {
  token: string;
  confirm: (body: { token: string; password: string }) => void;
  busy: boolean;
  error: unknown;
};

function WithPassword({ token, confirm, busy, error }: WithPasswordProps) {
  const { t } = useTranslation();
  const form = useForm({ resolver: zodResolver(Proof), defaultValues: { password: '' } });
  return (
    <Statement icon={<LockKeyhole aria-hidden />} title={t('confirm.title')} text={t('problem.password_required')}>
      <form
        onSubmit={form.handleSubmit(({ password }) => confirm({ token, password }))}
        noValidate
        className="space-y-5"
      >
        <Field label={t('common.password')} fault={faultText(t, form.formState.errors.password)}>
          {(control) => <PasswordInput {...control} {...form.register('password')} autoComplete="current-password" />}
        </Field>
        <Refusal error={isCode(error, 'password_required') ? undefined : error} />
        <Button type="submit" size="large" className="w-full" busy={busy}>
          {t('confirm.button')}
        </Button>
      </form>
    </Statement>
  );
}
