/**
 * Does `work` every `intervalMs` milliseconds; a look that is due while the last one is under way is left out.
 * `onError` hears what a look threw; the next one comes all the same.
 * @returns its stop, which waits for a look under way
 */
export function every(
  intervalMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  const timer = setInterval(() => {
    underWay ??= work()
      .catch(onError)
      .finally(() => {
        underWay = undefined;
      });
  }, intervalMs);
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}
