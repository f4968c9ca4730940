/** An exponential backoff: the first wait, the longest one (milliseconds), and where its randomness comes from. */
export interface Backoff {
  baseMs: number;
  capMs: number;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** Doublings after which every sensible cap is reached; keeps 2 ** n a finite number. */
const MAX_DOUBLINGS = 30;

/**
 * Milliseconds to wait after the `failures`-th failure in a row (1 = the first). Half is fixed and half is random, so
 * that many clients cut off together do not come back together, and none comes back at once.
 */
export function backoffMs(failures: number, { baseMs, capMs, random }: Backoff): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, MAX_DOUBLINGS));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}
