import { isDeepStrictEqual } from 'node:util';

export type Difference = { readonly before: unknown; readonly after: unknown };

/**
 * What two documents do not share, on both sides: objects are compared field by field, lists as a whole.
 * @returns undefined when they are equal
 */
export function difference(before: unknown, after: unknown): Difference | undefined {
  if (isDeepStrictEqual(before, after)) return undefined;
  if (!isRecord(before) || !isRecord(after)) return { before, after };
  const [left, right]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inner = difference(before[key], after[key]);
    if (inner?.before !== undefined) left[key] = inner.before;
    if (inner?.after !== undefined) right[key] = inner.after;
  }
  return { before: left, after: right };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
