import type { ComponentProps } from 'react';
import { classNames } from './class-names.ts';

export const controlLook =
  'block w-full min-h-10 rounded-lg border border-control bg-surface px-3 py-2 text-[0.9375rem] text-foreground placeholder:text-muted read-only:bg-sunken disabled:bg-sunken disabled:text-muted aria-invalid:border-danger';

/** One line of text. */
export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input className={classNames(controlLook, className)} {...rest} />;
}

/** One of a few; the platform's own list, which every phone and screen reader knows. */
export function Select({ className, ...rest }: ComponentProps<'select'>) {
  return <select className={classNames(controlLook, 'pr-8', className)} {...rest} />;
}
