import type { ComponentProps, ReactNode } from 'react';
import { classNames } from './class-names.ts';

/** A table that scrolls sideways inside its card where the screen is narrow; reachable by keyboard for that. */
export function Table({ label, head, children }: { label: string; head: ReactNode[]; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
    <section aria-label={label} tabIndex={0} className="-mx-5 overflow-x-auto px-5 sm:-mx-6 sm:px-6">
      <table className="w-full border-collapse text-sm">
        <thead>
          <tr className="border-line border-b text-left text-muted">
            {head.map((cell, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the columns of a table do not move
              <th key={index} scope="col" className="whitespace-nowrap py-2 pr-4 font-medium last:pr-0">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** One row. */
export function Row({ className, ...rest }: ComponentProps<'tr'>) {
  return <tr className={classNames('border-line border-b align-middle last:border-0', className)} {...rest} />;
}

/** One cell. */
export function Cell({ className, ...rest }: ComponentProps<'td'>) {
  return <td className={classNames('py-3 pr-4 last:pr-0', className)} {...rest} />;
}
