import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { Fingerprint } from 'lucide-react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { linkWaitingIdentity, providersQuery, signInWithPasskey, signInWithPassword } from '../api/sign-in.ts';
import type { FirstStep } from '../api/types.ts';
import { AcceptTerms } from '../components/accept-terms.tsx';
import { EntryHeader } from '../components/page.tsx';
import { ProviderButtons } from '../components/provider-buttons.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Button } from '../components/ui/button.tsx';
import { Field } from '../components/ui/field.tsx';
import { Input } from '../components/ui/input.tsx';
import { PasswordInput } from '../components/ui/password-input.tsx';
import { faultText } from '../forms/fault.ts';
import { email, typedPassword } from '../forms/schemas.ts';
import { useFragment } from '../hooks/fragment.ts';
import { useSignedIn } from '../hooks/signed-in.ts';
import { ownPath } from '../layout/own-path.ts';
import { wayOnSearch } from '../layout/way-on.ts';
import { hasPasskeys, isCancelled } from '../passkeys/browser.ts';

const Credentials = z.object({ email, password: typedPassword });

/** Signs in by password, passkey or another service's account; also where one lands after a visit to such a service. */
export function SignInPage() {
  const fragment = useFragment();
  const { return_to: fromSearch } = useSearch({ from: '/entry/sign-in' });
  const to = fromSearch ?? ownPath(fragment.get('return_to') ?? undefined);
  const token = fragment.get('token');
  if (token !== null && fragment.get('state') === 'terms_required') {
    return <AcceptTerms token={token} name={fragment.get('name') ?? ''} email={fragment.get('email') ?? ''} to={to} />;
  }
  const waiting =
    token === null ? undefined : { token, email: fragment.get('email') ?? '', provider: titleOf(fragment) };
  return <SignIn to={to} error={fragment.get('error') ?? undefined} waiting={waiting} />;
}

function titleOf(fragment: URLSearchParams): string {
  const provider = fragment.get('provider') ?? '';
  return { google: 'Google', github: 'GitHub', gitlab: 'GitLab' }[provider] ?? provider;
}

type Props = {
  to: string | undefined;
  /** Why the visit to another service came to nothing. */
  error: string | undefined;
  /** A service's account whose address has an account here: it is linked as soon as its owner has signed in. */
  waiting: { token: string; email: string; provider: string } | undefined;
};

function SignIn({ to, error, waiting }: Props) {
  const { t } = useTranslation();
  const signedIn = useSignedIn(to);
  const goOn = async (step: FirstStep) => {
    if (waiting !== undefined && step.status === 'signed_in') await linkWaitingIdentity(waiting.token);
    await signedIn(step);
  };
  const { data: providers } = useQuery(providersQuery);
  const byPassword = useMutation({ mutationFn: signInWithPassword, onSuccess: goOn });
  const byPasskey = useMutation({ mutationFn: signInWithPasskey, onSuccess: goOn });
  const form = useForm({
    resolver: zodResolver(Credentials),
    defaultValues: { email: waiting?.email ?? '', password: '' },
  });
  const { errors } = form.formState;
  return (
    <>
      <EntryHeader title={t('signIn.title')} text={t(to?.startsWith('/oidc') ? 'signIn.toChat' : 'signIn.text')} />
      {error === undefined ? null : (
        <Alert tone="danger" className="mb-5">
          {t(`problem.${error}` as 'problem.internal', { defaultValue: t('signIn.refused') })}
        </Alert>
      )}
      {waiting === undefined ? null : (
        <Alert className="mb-5">{t('signIn.link', { email: waiting.email, provider: waiting.provider })}</Alert>
      )}
      <form onSubmit={form.handleSubmit((given) => byPassword.mutate(given))} noValidate className="space-y-5">
        <Field label={t('common.email')} fault={faultText(t, errors.email)}>
          {(control) => (
            <Input {...control} {...form.register('email')} type="email" autoComplete="username webauthn" />
          )}
        </Field>
        <Field
          label={t('common.password')}
          fault={faultText(t, errors.password)}
          aside={
            <Link to="/forgot" className="rounded text-primary text-sm underline underline-offset-4">
              {t('signIn.forgot')}
            </Link>
          }
        >
          {(control) => <PasswordInput {...control} {...form.register('password')} autoComplete="current-password" />}
        </Field>
        <Refusal error={byPassword.error} />
        <Button type="submit" size="large" className="w-full" busy={byPassword.isPending}>
          {t('signIn.submit')}
        </Button>
      </form>
      <div className="my-6 flex items-center gap-4 text-muted text-sm">
        <span className="h-px flex-1 bg-line" />
        {t('signIn.or')}
        <span className="h-px flex-1 bg-line" />
      </div>
      <div className="space-y-3">
        {hasPasskeys() ? (
          <Button variant="secondary" className="w-full" busy={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
            <Fingerprint aria-hidden />
            {t('signIn.passkey')}
          </Button>
        ) : null}
        {isCancelled(byPasskey.error) ? (
          <Alert tone="warning">{t('signIn.passkeyCancelled')}</Alert>
        ) : (
          <Refusal error={byPasskey.error} />
        )}
        <ProviderButtons providers={providers ?? []} to={to} />
      </div>
      <p className="mt-7 text-center text-muted text-sm">
        {t('signIn.new')}{' '}
        <Link to="/register" search={wayOnSearch(to)} className="font-medium text-primary underline underline-offset-4">
          {t('signIn.register')}
        </Link>
      </p>
    </>
  );
}
