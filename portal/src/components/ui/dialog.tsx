import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './button.tsx';

type Props = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  text?: ReactNode;
  children: ReactNode;
  /** A click beside it does not close it: what it shows is shown once. */
  persistent?: boolean;
};

/** A matter that is settled before one goes on. Focus stays inside, Escape leaves. */
export function Dialog({ open, onOpenChange, title, text, children, persistent }: Props) {
  const { t } = useTranslation();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Radix.Content
          {...(text ? {} : { 'aria-describedby': undefined })}
          onInteractOutside={persistent ? (event) => event.preventDefault() : undefined}
          className="appear -translate-x-1/2 fixed top-1/2 left-1/2 z-50 max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-lg -translate-y-1/2 overflow-y-auto rounded-2xl border border-line bg-surface-raised p-6 shadow-raised"
        >
          <div className="mb-5 pr-10">
            <Radix.Title className="font-semibold text-lg leading-snug">{title}</Radix.Title>
            {text ? <Radix.Description className="mt-1.5 text-muted text-sm">{text}</Radix.Description> : null}
          </div>
          {children}
          <Radix.Close asChild>
            <Button variant="ghost" size="icon" className="absolute top-4 right-4" aria-label={t('common.close')}>
              <X aria-hidden />
            </Button>
          </Radix.Close>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The row of buttons a dialog or form ends with: the one that acts comes last and is first on a phone. */
export function Actions({ children }: { children: ReactNode }) {
  return <div className="mt-6 flex flex-col-reverse gap-3 sm:flex-row sm:justify-end">{children}</div>;
}
