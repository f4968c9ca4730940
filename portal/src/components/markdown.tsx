import type { ReactNode } from 'react';

/**
 * The little Markdown that our own terms are written in: headings, paragraphs, lists and strong words. Nothing of it is
 * ever taken for HTML.
 */
export function Markdown({ text }: { text: string }) {
  const blocks = text.split(/\n{2,}/).map((block) => block.trim());
  return (
    <div className="space-y-2.5 text-muted">
      {blocks
        .filter((block) => block !== '')
        .map((block) => (
          <Block key={block} block={block} />
        ))}
    </div>
  );
}

function Block({ block }: { block: string }): ReactNode {
  const heading = /^#{1,6}\s+(.*)$/.exec(block);
  // the page has its own headings: these are no part of its outline
  if (heading) return <p className="pt-1 font-semibold text-foreground">{heading[1]}</p>;
  const lines = block.split('\n');
  if (!lines.every((line) => /^(-|\*|\d+\.)\s|^\s/.test(line))) return <p>{withStrongWords(lines.join(' '))}</p>;
  const items = lines.join('\n').split(/\n(?=(?:-|\*|\d+\.)\s)/);
  return (
    <ul className="list-disc space-y-1 pl-5">
      {items.map((item) => (
        <li key={item}>{withStrongWords(item.replace(/^(-|\*|\d+\.)\s+/, '').replaceAll(/\s+/g, ' '))}</li>
      ))}
    </ul>
  );
}

function withStrongWords(text: string): ReactNode[] {
  return text.split(/\*\*(.+?)\*\*/).map((part, index) =>
    // every second part stood between stars
    index % 2 === 1 ? (
      <strong key={part} className="font-semibold text-foreground">
        {part}
      </strong>
    ) : (
      part
    ),
  );
}
