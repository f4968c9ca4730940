import type { ComponentProps, ReactNode } from 'react';
import { classNames } from './class-names.ts';

/** A surface that holds one matter. */
export function Card({ className, ...rest }: ComponentProps<'section'>) {
  return (
    <section
      className={classNames('rounded-xl border border-line bg-surface p-5 shadow-card sm:p-6', className)}
      {...rest}
    />
  );
}

/** Title, one sentence, and what one can do about the whole card. */
export function CardHeader(props: { title: ReactNode; text?: ReactNode; action?: ReactNode; id?: string }) {
  return (
    <div className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0 flex-1 basis-64">
        <h2 id={props.id} className="font-semibold text-lg leading-snug">
          {props.title}
        </h2>
        {props.text ? <p className="mt-1 max-w-prose text-muted text-sm">{props.text}</p> : null}
      </div>
      {props.action}
    </div>
  );
}
