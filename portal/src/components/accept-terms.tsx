import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { acceptTermsOfSignIn } from '../api/sign-in.ts';
import { termsQuery } from '../api/terms.ts';
import { faultText } from '../forms/fault.ts';
import { useLanguage } from '../hooks/language.ts';
import { useSignedIn } from '../hooks/signed-in.ts';
import { EntryHeader } from './page.tsx';
import { Refusal } from './refusal.tsx';
import { TermsConsent } from './terms-consent.tsx';
import { Button } from './ui/button.tsx';

const Consent = z.object({ accepted: z.literal(true, 'fault.terms') });

type Props = { token: string; name: string; email: string; to: string | undefined };

/** The last step of a first sign-in with another service's account: the consent that makes an account of it. */
export function AcceptTerms({ token, name, email, to }: Props) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { data: terms, error: termsError } = useQuery(termsQuery);
  const goOn = useSignedIn(to);
  const queryClient = useQueryClient();
  const accepting = useMutation({
    mutationFn: async () => {
      const { version } = await queryClient.ensureQueryData(termsQuery);
      return acceptTermsOfSignIn({ token, language, termsVersion: version });
    },
    onSuccess: goOn,
  });
  const form = useForm<z.input<typeof Consent>>({ resolver: zodResolver(Consent) });
  const submit = form.handleSubmit(() => accepting.mutate());
  return (
    <>
      <EntryHeader title={t('signIn.termsTitle', { name })} text={t('signIn.termsText', { email })} />
      <form onSubmit={submit} noValidate className="space-y-6">
        <TermsConsent
          terms={terms}
          fault={faultText(t, form.formState.errors.accepted)}
          register={() => form.register('accepted')}
        />
        <Refusal error={accepting.error ?? termsError} />
        <Button type="submit" size="large" className="w-full" busy={accepting.isPending}>
          {t('register.submit')}
        </Button>
      </form>
    </>
  );
}
