import { type ComponentProps, type ReactNode, useId } from 'react';
import { classNames } from './class-names.ts';

type Props = ComponentProps<'input'> & { label: ReactNode; hint?: ReactNode; fault?: string | undefined };

/** A box to tick, its sentence beside it. */
export function Checkbox({ label, hint, fault, className, type, ...rest }: Props) {
  const id = useId();
  const described = [fault && `${id}-fault`, hint && `${id}-hint`].filter(Boolean).join(' ') || undefined;
  return (
    <div className={classNames('flex gap-3', className)}>
      <input
        id={id}
        type={type ?? 'checkbox'}
        className="mt-[0.2em] size-[1.125rem] shrink-0 accent-primary"
        aria-describedby={described}
        aria-invalid={fault ? true : undefined}
        {...rest}
      />
      <div className="min-w-0 text-sm">
        <label htmlFor={id}>{label}</label>
        {hint ? (
          <p id={`${id}-hint`} className="text-muted">
            {hint}
          </p>
        ) : null}
        {fault ? (
          <p id={`${id}-fault`} className="mt-1 text-danger">
            {fault}
          </p>
        ) : null}
      </div>
    </div>
  );
}
