import { cva, type VariantProps } from 'class-variance-authority';
import { CircleCheck, CircleX, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';

const look = cva('flex gap-3 rounded-lg px-4 py-3 text-sm [&_svg]:mt-0.5 [&_svg]:size-4 [&_svg]:shrink-0', {
  variants: {
    tone: {
      info: 'bg-primary-soft text-on-primary-soft',
      success: 'bg-success-soft text-on-success-soft',
      warning: 'bg-warning-soft text-on-warning-soft',
      danger: 'bg-danger-soft text-on-danger-soft',
    },
  },
  defaultVariants: { tone: 'info' },
});
const icons = { info: Info, success: CircleCheck, warning: TriangleAlert, danger: CircleX };

type Props = VariantProps<typeof look> & { title?: ReactNode; children?: ReactNode; className?: string };

/** Something to know about now. A failure is announced at once, the rest when the reader pauses. */
export function Alert({ tone, title, children, className }: Props) {
  const Icon = icons[tone ?? 'info'];
  return (
    <div role={tone === 'danger' ? 'alert' : 'status'} className={classNames(look({ tone }), className)}>
      <Icon aria-hidden />
      <div className="min-w-0 flex-1">
        {title ? <p className="font-semibold">{title}</p> : null}
        {children}
      </div>
    </div>
  );
}
