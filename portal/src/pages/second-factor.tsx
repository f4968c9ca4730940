import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { Fingerprint, LifeBuoy, Smartphone } from 'lucide-react';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { pendingFromFragment, pendingSignIn } from '../api/pending-sign-in.ts';
import { completeWithCode, completeWithPasskey } from '../api/sign-in.ts';
import { EntryHeader } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Button } from '../components/ui/button.tsx';
import { Field } from '../components/ui/field.tsx';
import { Input } from '../components/ui/input.tsx';
import { faultText } from '../forms/fault.ts';
import { totpCode } from '../forms/schemas.ts';
import { useFragment } from '../hooks/fragment.ts';
import { useSignedIn } from '../hooks/signed-in.ts';
import { ownPath } from '../layout/own-path.ts';
import { wayOnSearch } from '../layout/way-on.ts';
import { hasPasskeys, isCancelled } from '../passkeys/browser.ts';

const forms = {
  totp: z.object({ code: totpCode }),
  recovery: z.object({ code: z.string().trim().min(1, 'fault.required') }),
};

/** The second step of signing in: the app's code, a recovery code, or a passkey. */
export function SecondFactorPage() {
  const { t } = useTranslation();
  const fragment = useFragment();
  const { return_to: fromSearch } = useSearch({ from: '/entry/second-factor' });
  const to = fromSearch ?? ownPath(fragment.get('return_to') ?? undefined);
  const [pending] = useState(() => pendingFromFragment(fragment) ?? pendingSignIn());
  const methods = pending?.methods ?? [];
  const [kind, setKind] = useState<'totp' | 'recovery'>(methods.includes('totp') ? 'totp' : 'recovery');
  const goOn = useSignedIn(to);
  const byCode = useMutation({ mutationFn: completeWithCode, onSuccess: goOn });
  const byPasskey = useMutation({ mutationFn: completeWithPasskey, onSuccess: goOn });
  const form = useForm({ resolver: zodResolver(forms[kind]), defaultValues: { code: '' } });
  if (pending === undefined) {
    return (
      <>
        <EntryHeader title={t('secondFactor.title')} text={t('problem.sign_in_expired')} />
        <Button asChild>
          <Link to="/sign-in" search={wayOnSearch(to)}>
            {t('secondFactor.again')}
          </Link>
        </Button>
      </>
    );
  }
  const { pendingToken } = pending;
  const isTotp = kind === 'totp';
  const change = () => {
    setKind(isTotp ? 'recovery' : 'totp');
    form.reset({ code: '' });
    byCode.reset();
  };
  return (
    <>
      <EntryHeader
        title={t('secondFactor.title')}
        text={t(isTotp ? 'secondFactor.text' : 'secondFactor.recoveryText')}
      />
      <form
        onSubmit={form.handleSubmit(({ code }) => byCode.mutate({ pendingToken, method: kind, code }))}
        noValidate
        className="space-y-5"
      >
        <Field
          label={t(isTotp ? 'secondFactor.code' : 'secondFactor.recoveryCode')}
          fault={faultText(t, form.formState.errors.code)}
        >
          {(control) => (
            <Input
              {...control}
              {...form.register('code')}
              autoComplete={isTotp ? 'one-time-code' : 'off'}
              inputMode={isTotp ? 'numeric' : 'text'}
              autoCapitalize="none"
              spellCheck={false}
              className="tabular min-h-12 font-mono text-lg tracking-[0.2em]"
            />
          )}
        </Field>
        <Refusal error={byCode.error} />
        <Button type="submit" size="large" className="w-full" busy={byCode.isPending}>
          {t('secondFactor.submit')}
        </Button>
      </form>
      <div className="mt-5 space-y-2">
        {methods.includes('passkey') && hasPasskeys() ? (
          <Button
            variant="secondary"
            className="w-full"
            busy={byPasskey.isPending}
            onClick={() => byPasskey.mutate(pendingToken)}
          >
            <Fingerprint aria-hidden />
            {t('secondFactor.passkey')}
          </Button>
        ) : null}
        {methods.includes('totp') && methods.includes('recovery') ? (
          <Button variant="ghost" className="w-full" onClick={change}>
            {isTotp ? <LifeBuoy aria-hidden /> : <Smartphone aria-hidden />}
            {t(isTotp ? 'secondFactor.recovery' : 'secondFactor.totp')}
          </Button>
        ) : null}
        {isCancelled(byPasskey.error) ? (
          <Alert tone="warning">{t('signIn.passkeyCancelled')}</Alert>
        ) : (
          <Refusal error={byPasskey.error} />
        )}
      </div>
    </>
  );
}
