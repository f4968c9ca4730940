import { CircleAlert } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { classNames } from './class-names.ts';

/** What ties a control to its label, hint and fault. */
export type FieldControl = {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': true | undefined;
};

type Props = {
  label: ReactNode;
  hint?: ReactNode;
  /** The sentence of what is wrong, if something is. */
  fault?: string | undefined;
  className?: string;
  /** Beside the label, such as a link. */
  aside?: ReactNode;
  children: (control: FieldControl) => ReactNode;
};

/** Label above, hint and fault below, tied together for assistive technology. */
export function Field({ label, hint, fault, className, aside, children }: Props) {
  const id = useId();
  // what is wrong says what to do, too: one sentence at a time
  const hintId = hint && !fault ? `${id}-hint` : undefined;
  const faultId = fault ? `${id}-fault` : undefined;
  const describedBy = [faultId, hintId].filter((part) => part !== undefined).join(' ');
  return (
    <div className={classNames('min-w-0', className)}>
      <div className="mb-1.5 flex flex-wrap items-baseline justify-between gap-x-4">
        <label htmlFor={id} className="font-medium text-sm">
          {label}
        </label>
        {aside}
      </div>
      {children({ id, 'aria-describedby': describedBy || undefined, 'aria-invalid': fault ? true : undefined })}
      {fault ? (
        <p id={faultId} className="mt-1.5 flex gap-1.5 text-danger text-sm">
          <CircleAlert className="mt-[0.2em] size-3.5 shrink-0" aria-hidden />
          {fault}
        </p>
      ) : null}
      {hintId ? (
        <div id={hintId} className="mt-1.5 text-muted text-sm">
          {hint}
        </div>
      ) : null}
    </div>
  );
}
