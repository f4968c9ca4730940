import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { MailOpen, Unlink } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accountQuery, signOut } from '../api/account.ts';
import { acceptInvitation, lookUpInvitation } from '../api/members.ts';
import { problemText } from '../api/problem-text.ts';
import { isRefusal } from '../api/queries.ts';
import { Statement } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Button } from '../components/ui/button.tsx';
import { Facts } from '../components/ui/facts.tsx';
import { Spinner } from '../components/ui/spinner.tsx';
import { formatMoment } from '../format/dates.ts';
import { useFragment } from '../hooks/fragment.ts';
import { useLanguage } from '../hooks/language.ts';
import { forgetInvitation, keepInvitation, keptInvitation } from '../layout/kept-invitation.ts';

/** What an invitation's link leads to: who invites to what, and the way in. */
export function InvitationPage() {
  const { t } = useTranslation();
  const given = useFragment().get('token') ?? undefined;
  const [token] = useState(() => given ?? keptInvitation());
  const offer = useQuery({
    queryKey: ['invitation', token],
    queryFn: async () => {
      try {
        return await lookUpInvitation(token ?? '');
      } catch (error) {
        // one that is over must not keep anybody from their start page
        if (isRefusal(error)) forgetInvitation();
        throw error;
      }
    },
    enabled: token !== undefined,
  });
  if (token === undefined || offer.isError) {
    const text = token === undefined ? t('confirm.noToken') : problemText(t, offer.error);
    return (
      <div role="alert">
        <Statement icon={<Unlink aria-hidden />} title={t('invitation.failed')} text={text}>
          <Button asChild variant="secondary">
            <Link to="/">{t('notFound.home')}</Link>
          </Button>
        </Statement>
      </div>
    );
  }
  if (offer.data === undefined) return <Spinner />;
  return <Offer token={token} offer={offer.data} />;
}

function Offer({ token, offer }: { token: string; offer: Awaited<ReturnType<typeof lookUpInvitation>> }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { data: account, isPending } = useQuery({ ...accountQuery, retry: false });
  const accepting = useMutation({
    mutationFn: acceptInvitation,
    onSuccess: async ({ tenant }) => {
      forgetInvitation();
      await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
      await navigate({ to: '/tenants/$tenant', params: { tenant } });
    },
  });
  const leaving = useMutation({
    mutationFn: signOut,
    onSuccess: () => {
      keepInvitation(token);
      queryClient.removeQueries({ queryKey: accountQuery.queryKey });
    },
  });
  const tenant = offer.tenantDisplayName;
  const title =
    offer.inviterName === null
      ? t('invitation.headingPlain', { tenant })
      : t('invitation.heading', { tenant, inviter: offer.inviterName });
  const isTheirs = account?.email.toLowerCase() === offer.email.toLowerCase();
  return (
    <Statement
      icon={<MailOpen aria-hidden />}
      title={title}
      text={
        <Facts
          items={[
            [t('invitation.role'), `${t(`role.${offer.role}`)}: ${t(`roleText.${offer.role}`)}`],
            [t('invitation.for'), offer.email],
            [t('invitation.until'), formatMoment(offer.expiresAt, language)],
          ]}
        />
      }
    >
      {isPending ? null : account === undefined ? (
        <>
          <Button asChild size="large" className="w-full" onClick={() => keepInvitation(token)}>
            <Link to="/register" search={{ return_to: '/invitation' }}>
              {t('invitation.register')}
            </Link>
          </Button>
          <Button asChild size="large" variant="secondary" className="w-full" onClick={() => keepInvitation(token)}>
            <Link to="/sign-in" search={{ return_to: '/invitation' }}>
              {t('invitation.signIn')}
            </Link>
          </Button>
        </>
      ) : isTheirs ? (
        <Button size="large" className="w-full" busy={accepting.isPending} onClick={() => accepting.mutate(token)}>
          {t('invitation.accept')}
        </Button>
      ) : (
        <>
          <Alert tone="warning">{t('invitation.other', { email: account.email })}</Alert>
          <Button variant="secondary" busy={leaving.isPending} onClick={() => leaving.mutate()}>
            {t('invitation.signOut')}
          </Button>
        </>
      )}
      <Refusal error={accepting.error} />
      {account === undefined ? null : (
        <Button asChild variant="ghost" className="w-full" onClick={forgetInvitation}>
          <Link to="/">{t('invitation.later')}</Link>
        </Button>
      )}
    </Statement>
  );
}
