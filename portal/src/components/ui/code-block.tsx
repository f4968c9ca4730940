import { CopyButton } from './copy-button.tsx';

/** A text to be used elsewhere as it is, with a button that copies it. */
export function CodeBlock({ label, text }: { label: string; text: string }) {
  return (
    <figure className="overflow-hidden rounded-lg border border-line bg-sunken">
      <figcaption className="flex items-center justify-between gap-3 border-line border-b px-3 py-1.5 text-muted text-sm">
        {label}
        <CopyButton text={text} />
      </figcaption>
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
        tabIndex={0}
        aria-label={label}
        className="overflow-x-auto px-3 py-2.5"
      >
        <pre className="font-mono text-[0.8125rem] leading-normal">{text}</pre>
      </section>
    </figure>
  );
}
