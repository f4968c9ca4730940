/** A JSON object whose members are not known yet. */
export type Json = Record<string, unknown>;

/** `value` as an object; anything else becomes an empty one, as a lenient provider would take it. */
export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** `value` as a list; anything else becomes an empty one. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The first of `values` that is a number. */
export function firstNumber(...values: unknown[]): number | undefined {
  return values.find((value) => typeof value === 'number');
}

/** `value` when it is a text, else the empty one. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The text of a message's content, which is a text or a list of parts of which some hold text. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((part) => text(object(part).text))
    .join('');
}
