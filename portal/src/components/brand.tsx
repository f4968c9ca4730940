/** The mark: a cloud that is yours. */
export function BrandMark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className ?? 'size-8'} aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-[#0d5c6e]" />
      <path
        d="M10.5 21.5a5 5 0 0 1-.6-9.96A6.6 6.6 0 0 1 22.4 13a4.3 4.3 0 0 1-.4 8.5"
        className="fill-none stroke-white"
        strokeWidth="2.4"
        strokeLinecap="round"
      />
      <path
        d="m13 20.5 3 3 5.5-6"
        className="fill-none stroke-[#8fe3d3]"
        strokeWidth="2.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** Mark and name; `compact`: where the screen is narrow, the mark alone. */
export function Brand({ compact }: { compact?: boolean }) {
  return (
    <span className="flex items-center gap-2.5 font-semibold text-[1.0625rem] tracking-tight">
      <BrandMark className="size-7" />
      <span className={compact ? 'sr-only sm:not-sr-only' : ''}>CloudFreedom</span>
    </span>
  );
}
