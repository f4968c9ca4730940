import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks, unless the caller knows better. */
const LOOK_EVERY_MS = 100;

/**
 * Looks until `look` answers something other than `undefined`, and returns that. After `deadlineMs` it throws an error
 * that names `what` was waited for and carries the last failure of `look` as its cause.
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T | undefined> | T | undefined,
  everyMs = LOOK_EVERY_MS,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
    } catch (error) {
      if (error instanceof GaveUp) throw error;
      cause = error;
    }
    if (Date.now() >= end) throw new Error(`${what}: not within ${deadlineMs / 1000} s`, { cause });
    await sleep(everyMs);
  }
}

/** Thrown by a look that knows that waiting on is useless; `until` passes it through at once. */
export class GaveUp extends Error {}
