import { Link, Outlet } from '@tanstack/react-router';
import type { ComponentProps, ReactNode } from 'react';

export type Section = {
  readonly to: Exclude<ComponentProps<typeof Link>['to'], undefined>;
  readonly label: string;
  readonly exact?: boolean;
};

/** A row of sections under the header, and the page of the one that is open. */
export function Sections(props: {
  label: string;
  sections: Section[];
  params?: Record<string, string>;
  /** In place of the page that is open. */
  instead?: ReactNode;
}) {
  return (
    <>
      <nav aria-label={props.label} className="border-line border-b bg-surface">
        <ul className="mx-auto flex w-full max-w-5xl gap-1 overflow-x-auto px-2.5 sm:px-4">
          {props.sections.map(({ to, label, exact }) => (
            <li key={to}>
              <Link
                to={to}
                params={(props.params ?? {}) as never}
                activeOptions={{ exact: exact ?? false }}
                className="-outline-offset-2 block whitespace-nowrap border-transparent border-b-2 px-2.5 py-2.5 text-muted text-sm hover:text-foreground aria-[current=page]:border-primary aria-[current=page]:font-medium aria-[current=page]:text-foreground"
              >
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <main id="content" tabIndex={-1} className="mx-auto w-full max-w-5xl flex-1 px-4 pt-8 pb-20 outline-none sm:px-6">
        {props.instead ?? <Outlet />}
      </main>
    </>
  );
}

/** The frame of pages without sections. */
export function PlainPage() {
  return (
    <main id="content" tabIndex={-1} className="mx-auto w-full max-w-5xl flex-1 px-4 pt-10 pb-20 outline-none sm:px-6">
      <Outlet />
    </main>
  );
}
