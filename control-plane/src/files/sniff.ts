import type { StoredType } from './file-kinds.ts';

/** Bytes at the start that binary formats are told by; one of a file's first bytes may be anything where it says "any". */
const MAGIC: readonly { readonly type: StoredType; readonly at: number; readonly bytes: Buffer }[][] = [
  [{ type: 'image/png', at: 0, bytes: Buffer.from('89504e470d0a1a0a', 'hex') }],
  [{ type: 'image/jpeg', at: 0, bytes: Buffer.from('ffd8ff', 'hex') }],
  [
    { type: 'image/webp', at: 0, bytes: Buffer.from('RIFF') },
    { type: 'image/webp', at: 8, bytes: Buffer.from('WEBP') },
  ],
  [{ type: 'application/pdf', at: 0, bytes: Buffer.from('%PDF-') }],
  [{ type: 'application/zip', at: 0, bytes: Buffer.from('504b0304', 'hex') }],
];

/** What the bytes are by themselves, whatever somebody calls them; undefined: nothing we store. */
export function sniff(content: Buffer): StoredType | undefined {
  const binary = MAGIC.find((marks) =>
    marks.every(({ at, bytes }) => content.subarray(at, at + bytes.length).equals(bytes)),
  );
  if (binary !== undefined) return binary[0]?.type;
  const text = utf8(content);
  if (text === undefined) return undefined;
  if (/^\s*<\?xml\s/.test(text)) return /<svg[\s>]/i.test(text) ? undefined : 'application/xml';
  if (/^\s*[[{]/.test(text)) return isJson(text) ? 'application/json' : undefined;
  // A CSV is any text; but what a browser might take for a page is none.
  return /^\s*</.test(text) ? undefined : 'text/csv';
}

function utf8(content: Buffer): string | undefined {
  if (content.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
