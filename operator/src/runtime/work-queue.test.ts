import { describe, expect, it } from 'vitest';
import { noJitter } from './testing/deps.ts';
import { ManualClock, settle } from './testing/manual-clock.ts';
import { FAIR_TURN, WorkQueue } from './work-queue.ts';

const never = new AbortController().signal;

function setUp(maxKeys?: number) {
  const clock = new ManualClock();
  const backoff = { baseMs: 1_000, capMs: 60_000, random: noJitter };
  const queue = new WorkQueue({ clock, backoff, ...(maxKeys !== undefined && { maxKeys }) });
  /** Works off what waits, one key after the other, and returns the keys in their order. */
  const workOff = async () => {
    const keys: string[] = [];
    while (queue.depth > 0) {
      const key = await queue.take(never);
      if (key === undefined) break;
      keys.push(key);
      queue.done(key);
    }
    return keys;
  };
  return { clock, queue, workOff };
}

describe('the work queue', () => {
  it('hands keys out in the order they came', async () => {
    const { queue, workOff } = setUp();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    expect(await workOff()).toEqual(['a', 'b', 'c']);
  });

  it('holds a key once, however often it is added', async () => {
    const { queue, workOff } = setUp();
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
    expect(await workOff()).toEqual(['a', 'b']);
  });

  it('gives a key to one worker at a time, and again when it was added meanwhile', async () => {
    const { queue } = setUp();
    queue.add('a');
    expect(await queue.take(never)).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
    expect(await queue.take(never)).toBe('a');
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  it('lets changes go before retries, and both before a resync', async () => {
    const { queue, workOff } = setUp();
    queue.add('looked-at', 'resync');
    queue.add('failed', 'retry');
    queue.add('edited', 'change');
    expect(await workOff()).toEqual(['edited', 'failed', 'looked-at']);
  });

  it('moves a waiting key up when it becomes more urgent, never down', async () => {
    const { queue, workOff } = setUp();
    for (const key of ['a', 'b', 'c']) queue.add(key, 'resync');
    queue.add('c', 'change');
    queue.add('c', 'resync');
    expect(await workOff()).toEqual(['c', 'a', 'b']);
  });

  it('starves nobody: a key that waits longest has its turn among any number of changes', async () => {
    const { queue } = setUp();
    queue.add('patient', 'resync');
    const order: string[] = [];
    for (let n = 0; n < FAIR_TURN; n++) {
      queue.add(`edit-${n}`);
      queue.add(`more-${n}`);
      const key = await queue.take(never);
      if (key === undefined) break;
      order.push(key);
      queue.done(key);
    }
    expect(order).toContain('patient');
  });

  it('does not let failing keys delay new ones', async () => {
    const { clock, queue } = setUp();
    const failing = Array.from({ length: 100 }, (_, n) => `failing-${n}`);
    for (const key of failing) queue.retry(key);
    await clock.advance(1_000);
    expect(queue.depth).toBe(100);
    queue.add('new');
    expect(await queue.take(never)).toBe('new');
  });

  it('waits longer after each failure, up to the cap, and shortest again after a success', () => {
    const { queue } = setUp();
    const waits = Array.from({ length: 9 }, () => queue.retry('a'));
    expect(waits).toEqual([750, 1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000, 45_000]);
    expect(queue.retry('b')).toBe(750);
    queue.forget('a');
    expect(queue.retry('a')).toBe(750);
  });

  it('waits at least as long as the server asked', async () => {
    const { clock, queue } = setUp();
    expect(queue.retry('a', 10_000)).toBe(10_000);
    await clock.advance(9_999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  it('lets the earlier of two timers win, and a change before both', async () => {
    const { clock, queue, workOff } = setUp();
    queue.addAfter('a', 10_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 20_000);
    await clock.advance(1_000);
    expect(await workOff()).toEqual(['a']);
    queue.addAfter('a', 10_000);
    queue.add('a');
    expect(await workOff()).toEqual(['a']);
    await clock.advance(60_000);
    expect(await workOff()).toEqual([]);
  });

  it('refuses keys beyond its size, waiting ones and timers together', () => {
    const { queue } = setUp(3);
    expect([queue.add('a'), queue.addAfter('b', 1_000), queue.add('c')]).toEqual([true, true, true]);
    expect([queue.add('d'), queue.addAfter('e', 1_000)]).toEqual([false, false]);
    expect([queue.add('a'), queue.add('b')]).toEqual([true, true]);
  });

  it('drains: takes nothing in, hands nothing out, and waits for the work under way', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    await queue.take(never);
    queue.add('b');
    queue.addAfter('c', 1_000);
    let drained = false;
    const draining = queue.drain().then(() => {
      drained = true;
    });
    expect(queue.add('d')).toBe(false);
    expect(await queue.take(never)).toBe(undefined);
    await settle();
    expect(drained).toBe(false);
    queue.done('a');
    await draining;
    await clock.advance(10_000);
    expect(clock.pending).toBe(0);
  });

  it('lets a waiting worker go when its signal aborts, and gives its key to the next', async () => {
    const { queue } = setUp();
    const stop = new AbortController();
    const first = queue.take(stop.signal);
    const second = queue.take(never);
    stop.abort();
    expect(await first).toBe(undefined);
    queue.add('a');
    expect(await second).toBe('a');
  });

  it('tells the depth of each lane', () => {
    const depths: string[] = [];
    const clock = new ManualClock();
    const backoff = { baseMs: 1, capMs: 1, random: noJitter };
    const queue = new WorkQueue({ clock, backoff, onDepth: (lane, depth) => depths.push(`${lane} ${depth}`) });
    queue.add('a', 'resync');
    queue.add('a', 'change');
    expect(depths).toEqual(['resync 1', 'resync 0', 'change 1']);
  });
});
