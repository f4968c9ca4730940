/** A path of this portal that was handed over in an address; nothing that leads elsewhere. */
export function ownPath(value: unknown): string | undefined {
  if (typeof value !== 'string' || !value.startsWith('/')) return undefined;
  // browsers read a backslash as a slash and skip tabs and line breaks: "/\evil.example" is another host
  if (/[\\\p{Cc}]/u.test(value) || value.startsWith('//')) return undefined;
  return value;
}
