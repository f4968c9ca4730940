import { useTranslation } from 'react-i18next';
import { type Provider, providerStart } from '../api/sign-in.ts';
import { Button } from './ui/button.tsx';

/** The services' own marks, drawn here: nothing is loaded from them. */
const marks: Readonly<Record<string, { path: string; colour: string }>> = {
  google: {
    path: 'M21.6 12.2c0-.7-.1-1.3-.2-1.9H12v3.7h5.4a4.6 4.6 0 0 1-2 3v2.5h3.2c1.9-1.7 3-4.3 3-7.3ZM12 22c2.7 0 5-.9 6.6-2.5l-3.2-2.5a6 6 0 0 1-9-3.2H3.1v2.6A10 10 0 0 0 12 22Zm-5.6-8.2a6 6 0 0 1 0-3.7V7.5H3.1a10 10 0 0 0 0 8.9l3.3-2.6ZM12 6c1.5 0 2.8.5 3.9 1.5l2.8-2.8A10 10 0 0 0 3.1 7.5l3.3 2.6A6 6 0 0 1 12 6Z',
    colour: 'fill-current',
  },
  github: {
    path: 'M12 2a10 10 0 0 0-3.2 19.5c.5.1.7-.2.7-.5v-1.7c-2.8.6-3.4-1.3-3.4-1.3-.4-1.1-1.1-1.4-1.1-1.4-.9-.6.1-.6.1-.6 1 .1 1.5 1 1.5 1 .9 1.5 2.4 1.1 2.9.8.1-.6.4-1.1.6-1.3-2.2-.3-4.6-1.1-4.6-5 0-1.1.4-2 1-2.7-.1-.2-.4-1.3.1-2.6 0 0 .9-.3 2.8 1a9.6 9.6 0 0 1 5 0c1.9-1.3 2.8-1 2.8-1 .5 1.3.2 2.4.1 2.6.6.7 1 1.6 1 2.7 0 3.9-2.3 4.7-4.6 5 .4.3.7.9.7 1.8v2.7c0 .3.2.6.7.5A10 10 0 0 0 12 2Z',
    colour: 'fill-current',
  },
  gitlab: {
    path: 'm21.9 13.3-1.1-3.5-2.3-7a.4.4 0 0 0-.7 0l-2.3 6.9H8.5L6.2 2.8a.4.4 0 0 0-.7 0l-2.3 7-1.1 3.5c-.1.3 0 .7.3.9L12 21.3l9.6-7.1c.3-.2.4-.6.3-.9Z',
    colour: 'fill-[#fc6d26]',
  },
};

/** One button for each service whose accounts may sign in here. */
export function ProviderButtons({ providers, to }: { providers: readonly Provider[]; to: string | undefined }) {
  const { t } = useTranslation();
  return providers.map(({ provider, title }) => {
    const mark = marks[provider];
    return (
      <Button key={provider} asChild variant="secondary" className="w-full">
        <a href={providerStart(provider, to)}>
          {mark === undefined ? null : (
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d={mark.path} className={mark.colour} />
            </svg>
          )}
          {t('signIn.provider', { name: title })}
        </a>
      </Button>
    );
  });
}
