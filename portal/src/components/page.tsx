import type { ReactNode } from 'react';
import { usePageTitle } from '../hooks/page-title.ts';

/** A page's heading, its one sentence, and what one comes here to do. */
export function PageHeader(props: { title: string; text?: ReactNode; action?: ReactNode }) {
  usePageTitle(props.title);
  return (
    <div className="mb-7 flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
      <div className="min-w-0 flex-1 basis-80">
        <h1 className="break-words font-semibold text-2xl leading-tight tracking-tight">{props.title}</h1>
        {props.text ? <p className="mt-1.5 max-w-prose text-muted">{props.text}</p> : null}
      </div>
      {props.action}
    </div>
  );
}

/** The heading of a page before one is signed in. */
export function EntryHeader(props: { title: string; text?: ReactNode }) {
  usePageTitle(props.title);
  return (
    <div className="mb-7">
      <h1 className="font-semibold text-2xl leading-tight tracking-tight">{props.title}</h1>
      {props.text ? <p className="mt-2 text-muted">{props.text}</p> : null}
    </div>
  );
}

/** A page that says one thing: an icon, a sentence, the next step. */
export function Statement(props: { icon: ReactNode; title: string; text: ReactNode; children?: ReactNode }) {
  usePageTitle(props.title);
  return (
    <div>
      <div className="mb-6 flex size-12 items-center justify-center rounded-xl bg-primary-soft text-on-primary-soft [&_svg]:size-6">
        {props.icon}
      </div>
      <h1 className="font-semibold text-2xl leading-tight tracking-tight">{props.title}</h1>
      <div className="mt-3 text-muted">{props.text}</div>
      {props.children ? <div className="mt-7 space-y-3">{props.children}</div> : null}
    </div>
  );
}
