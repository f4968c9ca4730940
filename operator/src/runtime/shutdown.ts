import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** Milliseconds from the first signal to the end of the process, whatever still runs; less than a pod's 30 s of grace. */
export const SHUTDOWN_DEADLINE_MS = 25_000;

/** The part of `process` that ending it needs. */
export interface Ending {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * A signal that aborts at the first SIGTERM or SIGINT. A second one, or `SHUTDOWN_DEADLINE_MS`, ends the process at
 * once with code 1; ending in time is up to the caller.
 */
export function shutdownSignal(ending: Ending, clock: Clock, log: Log): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: string) => () => {
    if (stop.signal.aborted) {
      log.warn({ signal: name }, 'asked to stop a second time: stopping at once');
      ending.exit(1);
      return;
    }
    log.info({ signal: name }, 'asked to stop');
    stop.abort(new Error(`asked to stop by ${name}`));
    clock.after(SHUTDOWN_DEADLINE_MS, () => {
      log.error({ afterMs: SHUTDOWN_DEADLINE_MS }, 'could not stop in time');
      ending.exit(1);
    });
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) ending.on(name, onSignal(name));
  return stop.signal;
}
