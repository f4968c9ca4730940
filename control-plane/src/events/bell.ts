import pg from 'pg';
import type { Logger } from 'pino';

/** What the database rings for. */
const CHANNELS = [
  /** A tenant has a new event. */
  'cloudfreedom_event',
  /** A delivery of an alert is due. */
  'cloudfreedom_delivery',
  /** A mail is due. */
  'cloudfreedom_mail',
  /** A chat is to be told of a sign-out. */
  'cloudfreedom_logout',
  /** A key was revoked. */
  'cloudfreedom_key',
] as const;
export type BellChannel = (typeof CHANNELS)[number];

/** Milliseconds until a lost connection is opened anew. */
const RECONNECT_MS = 1_000;
/** Milliseconds a waiter sleeps at most while nothing can ring. */
const DEAF_POLL_MS = 1_000;

/** Waits for one thing. What rings between two waits is not lost: the next one returns at once. */
export type Ear = {
  /** @returns whether it rang; false after `timeoutMs`, or when `signal` is aborted */
  readonly wait: (timeoutMs: number, signal: AbortSignal) => Promise<boolean>;
  readonly close: () => void;
};

/**
 * One connection per process that listens for all waiters. Ringing is a hint to look now, nothing more: whoever waits
 * also looks when the time is up, so a lost connection costs a second, and no event.
 */
export class Bell {
  readonly #url: string;
  readonly #log: Logger;
  readonly #ears = new Map<string, Set<() => void>>();
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #listening = false;
  #stopped = false;

  constructor(url: string, log: Logger) {
    this.#url = url;
    this.#log = log;
  }

  async start(): Promise<void> {
    if (this.#stopped) return;
    const client = new pg.Client({ connectionString: this.#url, application_name: 'cloudfreedom-bell' });
    this.#client = client;
    const lost = (err?: Error) => {
      if (this.#client !== client || this.#stopped) return;
      this.#client = undefined;
      this.#listening = false;
      client.end().catch(() => {});
      this.#log.warn({ err }, 'the connection that listens for events was lost; until it is back they are polled');
      this.#timer = setTimeout(() => void this.start(), RECONNECT_MS);
    };
    client.on('error', lost);
    client.on('end', () => lost());
    client.on('notification', ({ channel, payload }) => this.#ring(keyOf(channel, payload ?? '')));
    try {
      await client.connect();
      for (const channel of CHANNELS) await client.query(`listen ${channel}`);
      this.#listening = true;
      // What rang while nobody listened.
      for (const key of this.#ears.keys()) this.#ring(key);
    } catch (error) {
      lost(error as Error);
    }
  }

  /** How many wait for this. */
  count(channel: BellChannel, payload: string): number {
    return this.#ears.get(keyOf(channel, payload))?.size ?? 0;
  }

  ear(channel: BellChannel, payload: string): Ear {
    const key = keyOf(channel, payload);
    let rung = false;
    let wake: (() => void) | undefined;
    const onRing = () => {
      rung = true;
      wake?.();
    };
    const ears = this.#ears.get(key) ?? new Set();
    this.#ears.set(key, ears.add(onRing));
    return {
      wait: async (timeoutMs, signal) => {
        if (!rung && !signal.aborted) {
          await new Promise<void>((resolve) => {
            const done = () => {
              clearTimeout(timer);
              signal.removeEventListener('abort', done);
              resolve();
            };
            const timer = setTimeout(done, this.#listening ? timeoutMs : Math.min(timeoutMs, DEAF_POLL_MS));
            signal.addEventListener('abort', done);
            wake = done;
          });
          wake = undefined;
        }
        const rang = rung;
        rung = false;
        return rang;
      },
      close: () => {
        ears.delete(onRing);
        if (ears.size === 0) this.#ears.delete(key);
      },
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => {});
  }

  #ring(key: string): void {
    for (const ring of this.#ears.get(key) ?? []) ring();
  }
}

function keyOf(channel: string, payload: string): string {
  return `${channel}/${payload}`;
}
