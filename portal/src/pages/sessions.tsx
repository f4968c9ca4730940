import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { LaptopMinimal, LogOut, Smartphone } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { endOtherSessions, endSession, sessionsQuery } from '../api/account.ts';
import type { Session } from '../api/types.ts';
import { PageHeader } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Badge } from '../components/ui/badge.tsx';
import { Button } from '../components/ui/button.tsx';
import { Card } from '../components/ui/card.tsx';
import { formatDay, formatDistance } from '../format/dates.ts';
import { deviceOf } from '../format/device.ts';
import { useLanguage } from '../hooks/language.ts';

/** Where the person is signed in, and how to end that. */
export function SessionsPage() {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const { data: sessions } = useSuspenseQuery(sessionsQuery);
  const refresh = () => queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  const ending = useMutation({ mutationFn: endSession, onSuccess: refresh });
  const endingOthers = useMutation({ mutationFn: endOtherSessions, onSuccess: refresh });
  const hasOthers = sessions.some(({ current }) => !current);
  return (
    <div className="max-w-3xl">
      <PageHeader
        title={t('sessions.title')}
        text={t('sessions.text')}
        action={
          hasOthers ? (
            <Button variant="secondary" busy={endingOthers.isPending} onClick={() => endingOthers.mutate()}>
              <LogOut aria-hidden />
              {t('sessions.endOthers')}
            </Button>
          ) : undefined
        }
      />
      <Card className="py-2 sm:py-2">
        <ul className="divide-y divide-line">
          {sessions.map((session) => (
            <SessionRow
              key={session.id}
              session={session}
              busy={ending.isPending && ending.variables === session.id}
              onEnd={() => ending.mutate(session.id)}
            />
          ))}
        </ul>
      </Card>
      <Refusal error={ending.error ?? endingOthers.error} />
      {hasOthers ? null : <p className="mt-4 text-muted text-sm">{t('sessions.none')}</p>}
    </div>
  );
}

function SessionRow({ session, busy, onEnd }: { session: Session; busy: boolean; onEnd: () => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const device = deviceOf(session.userAgent);
  const name = device === undefined ? t('sessions.unknownDevice') : t('sessions.deviceOn', device);
  const Icon = device?.system === 'iOS' || device?.system === 'Android' ? Smartphone : LaptopMinimal;
  const details = [
    ...(session.address === null ? [] : [t('sessions.address', { address: session.address })]),
    t('sessions.seen', { when: formatDistance(session.lastSeenAt, language, new Date()) }),
    t('sessions.since', { when: formatDay(session.createdAt, language) }),
  ];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-3 py-4">
      <span className="flex size-10 shrink-0 items-center justify-center rounded-lg bg-sunken">
        <Icon className="size-5" aria-hidden />
      </span>
      <div className="min-w-0 flex-1 basis-52">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {name}
          {session.current ? <Badge tone="success">{t('sessions.current')}</Badge> : null}
        </p>
        <p className="text-muted text-sm">{details.join(' · ')}</p>
      </div>
      {session.current ? null : (
        <Button
          variant="secondary"
          size="small"
          busy={busy}
          aria-label={t('sessions.endNamed', { name })}
          onClick={onEnd}
        >
          {t('sessions.end')}
        </Button>
      )}
    </li>
  );
}
