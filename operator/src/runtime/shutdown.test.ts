import { expect, it } from 'vitest';
import { silentLog } from './log.ts';
import { SHUTDOWN_DEADLINE_MS, shutdownSignal } from './shutdown.ts';
import { ManualClock } from './testing/manual-clock.ts';

function setUp() {
  const clock = new ManualClock();
  const listeners = new Map<string, () => void>();
  const exits: number[] = [];
  const ending = {
    on: (signal: string, listener: () => void) => listeners.set(signal, listener),
    exit: (code: number) => void exits.push(code),
  };
  return {
    clock,
    exits,
    send: (name: string) => listeners.get(name)?.(),
    stop: shutdownSignal(ending, clock, silentLog),
  };
}

it('asks for a graceful end first, and ends at once when asked again', () => {
  const { stop, send, exits } = setUp();
  expect(stop.aborted).toBe(false);
  send('SIGTERM');
  expect([stop.aborted, exits]).toEqual([true, []]);
  send('SIGINT');
  expect(exits).toEqual([1]);
});

it('ends the process when the graceful end takes too long', async () => {
  const { clock, send, exits } = setUp();
  send('SIGTERM');
  await clock.advance(SHUTDOWN_DEADLINE_MS - 1);
  expect(exits).toEqual([]);
  await clock.advance(1);
  expect(exits).toEqual([1]);
});
