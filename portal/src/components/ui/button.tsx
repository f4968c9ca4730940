import { cva, type VariantProps } from 'class-variance-authority';
import { LoaderCircle } from 'lucide-react';
import { Slot } from 'radix-ui';
import type { ComponentProps } from 'react';
import { classNames } from './class-names.ts';

/** How a button looks; links that act as one take it, too. */
export const buttonVariants = cva(
  'inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium text-center leading-tight transition-colors select-none disabled:opacity-55 aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      variant: {
        primary: 'bg-primary text-on-primary hover:bg-primary-hover',
        secondary: 'border border-control bg-surface text-foreground hover:bg-sunken',
        ghost: 'text-foreground hover:bg-sunken',
        danger: 'bg-danger text-on-danger hover:bg-danger-hover',
        quietDanger: 'text-danger hover:bg-danger-soft',
      },
      size: {
        small: 'min-h-8 px-3 py-1 text-sm',
        medium: 'min-h-10 px-4 py-2 text-[0.9375rem]',
        large: 'min-h-12 px-6 py-3 text-base',
        icon: 'size-9',
      },
    },
    defaultVariants: { variant: 'primary', size: 'medium' },
  },
);

type Props = ComponentProps<'button'> &
  VariantProps<typeof buttonVariants> & {
    /** Takes the look to the one child, such as a link. */
    asChild?: boolean;
    /** Work is under way: it turns, and a second press does nothing. */
    busy?: boolean;
  };

/** A button; of type button unless a form says submit. */
export function Button({ className, variant, size, asChild, busy, children, type, onClick, ...rest }: Props) {
  const look = classNames(buttonVariants({ variant, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={look} onClick={onClick} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type={type ?? 'button'}
      className={look}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy ? <LoaderCircle className="animate-spin" aria-hidden /> : null}
      {children}
    </button>
  );
}
