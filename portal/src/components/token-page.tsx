import { useMutation } from '@tanstack/react-query';
import { BadgeCheck, LinkIcon, Unlink } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { problemText } from '../api/problem-text.ts';
import { Statement } from './page.tsx';
import { Button } from './ui/button.tsx';

type Props = {
  token: string | undefined;
  perform: (token: string) => Promise<unknown>;
  ask: { title: string; text: string; button: string };
  done: { title: string; text: string; next: ReactNode };
  failed: { title: string; next: ReactNode };
};

/**
 * What a mail's link leads to. It takes a click to act: programs that open the links of a mail to look for dangers must
 * not use up the token.
 */
export function TokenPage({ token, perform, ask, done, failed }: Props) {
  const { t } = useTranslation();
  const acting = useMutation({ mutationFn: perform });
  if (acting.isSuccess) {
    return (
      <div role="status">
        <Statement icon={<BadgeCheck aria-hidden />} title={done.title} text={done.text}>
          {done.next}
        </Statement>
      </div>
    );
  }
  if (token === undefined || acting.isError) {
    const text = token === undefined ? t('confirm.noToken') : problemText(t, acting.error);
    return (
      <div role="alert">
        <Statement icon={<Unlink aria-hidden />} title={failed.title} text={text}>
          {failed.next}
        </Statement>
      </div>
    );
  }
  return (
    <Statement icon={<LinkIcon aria-hidden />} title={ask.title} text={ask.text}>
      <Button size="large" className="w-full" busy={acting.isPending} onClick={() => acting.mutate(token)}>
        {ask.button}
      </Button>
    </Statement>
  );
}
