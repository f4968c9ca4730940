import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Download, MessagesSquare } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { chatDataQuery, exportAddress, requestChats } from '../../api/privacy.ts';
import { Refusal } from '../refusal.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Card, CardHeader } from '../ui/card.tsx';

/** Milliseconds between two looks while chats are being collected. */
const POLL_MS = 5_000;
const tones = { waiting: 'neutral', done: 'success', failed: 'warning' } as const;

/** A copy of all that is stored about oneself, chats included once they were collected. */
export function ExportCard() {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const { data } = useQuery({
    ...chatDataQuery,
    refetchInterval: ({ state }) => (state.data?.items.some((item) => item.state === 'waiting') ? POLL_MS : false),
  });
  const asking = useMutation({
    mutationFn: requestChats,
    onSuccess: (answer) => queryClient.setQueryData(chatDataQuery.queryKey, answer),
  });
  const chats = data?.items ?? [];
  return (
    <Card>
      <CardHeader title={t('privacy.exportTitle')} text={t('privacy.exportText')} />
      <Button asChild>
        <a href={exportAddress} download>
          <Download aria-hidden />
          {t('privacy.exportDownload')}
        </a>
      </Button>
      <div className="mt-6 border-line border-t pt-5">
        <h3 className="font-medium">{t('privacy.chatsTitle')}</h3>
        <p className="mt-1 mb-4 max-w-prose text-muted text-sm">{t('privacy.chatsText')}</p>
        {chats.length > 0 ? (
          <ul className="mb-4 space-y-2 text-sm">
            {chats.map(({ tenant, state }) => (
              <li key={tenant} className="flex flex-wrap items-center gap-2.5">
                <span className="font-medium">{tenant}</span>
                <Badge tone={tones[state]}>{t(`privacy.chatState.${state}`)}</Badge>
              </li>
            ))}
          </ul>
        ) : null}
        <Button variant="secondary" busy={asking.isPending} onClick={() => asking.mutate()}>
          <MessagesSquare aria-hidden />
          {t('privacy.chatsRequest')}
        </Button>
        <Refusal error={asking.error} />
      </div>
    </Card>
  );
}
