/** Says one line about long work. */
export type Say = (line: string) => void;

/** Lines on standard error such as `[cluster] 12 s: node is Ready`, timed from this call. */
export function progress(topic: string): Say {
  const started = Date.now();
  return (line) => console.error(`[${topic}] ${Math.round((Date.now() - started) / 1000)} s: ${line}`);
}
