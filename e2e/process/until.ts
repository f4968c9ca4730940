/** Milliseconds between two looks. */
const DEFAULT_INTERVAL_MS = 200;

export interface UntilOptions {
  timeoutMs: number;
  intervalMs?: number;
}

/**
 * Looks again and again until `look` returns something other than `undefined`, and returns that. After `timeoutMs` it
 * throws, naming what was waited for and the last error `look` threw.
 */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined> | Found | undefined,
  { timeoutMs, intervalMs = DEFAULT_INTERVAL_MS }: UntilOptions,
): Promise<Found> {
  const deadline = Date.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
