import { Link, Outlet } from '@tanstack/react-router';
import { ReceiptEuro, ServerCog, ShieldCheck } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Brand } from '../components/brand.tsx';
import { Preferences } from './preferences.tsx';

const promises = [
  { key: 'sovereign', icon: ShieldCheck },
  { key: 'exact', icon: ReceiptEuro },
  { key: 'own', icon: ServerCog },
] as const;

/** The frame of all pages before one is signed in: what this is on the left, the one thing to do on the right. */
export function EntryLayout() {
  const { t } = useTranslation();
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(22rem,5fr)_7fr]">
      <aside className="hidden flex-col bg-[#0b3f4d] p-10 text-[#eaf5f6] lg:flex xl:p-14">
        <Link to="/" className="w-fit rounded-md">
          <Brand />
        </Link>
        <div className="my-auto max-w-md py-12">
          <p className="text-balance font-semibold text-[1.75rem] leading-tight tracking-tight">
            {t('entry.headline')}
          </p>
          <ul className="mt-10 space-y-7">
            {promises.map(({ key, icon: Icon }) => (
              <li key={key} className="flex gap-4">
                <span className="flex size-9 shrink-0 items-center justify-center rounded-lg bg-white/10">
                  <Icon className="size-[1.125rem] text-[#8fe3d3]" aria-hidden />
                </span>
                <div>
                  <p className="font-medium">{t(`entry.promise.${key}.title`)}</p>
                  <p className="mt-0.5 text-[#bfdade] text-sm">{t(`entry.promise.${key}.text`)}</p>
                </div>
              </li>
            ))}
          </ul>
        </div>
        <p className="text-[#bfdade] text-sm">{t('entry.quiet')}</p>
      </aside>
      <div className="flex min-w-0 flex-col">
        <header className="flex items-center justify-between px-5 py-4 sm:px-8">
          <Link to="/" className="rounded-md lg:invisible">
            <Brand />
          </Link>
          <Preferences />
        </header>
        <main id="content" tabIndex={-1} className="flex flex-1 px-5 pb-16 outline-none sm:px-8">
          <div className="m-auto w-full max-w-[26rem] py-6">
            <Outlet />
          </div>
        </main>
      </div>
    </div>
  );
}
