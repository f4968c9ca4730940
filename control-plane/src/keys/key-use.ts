import type pg from 'pg';
import type { Logger } from 'pino';
import { every } from '../every.ts';

/** Milliseconds between two writes of when keys were last used. */
const FLUSH_MS = 60_000;
/** Keys noted between two writes; further ones are noted by their next use. */
const MAX_NOTED = 50_000;

/** Remembers when keys were used, and writes it down in batches: a call costs no update. */
export class KeyUse {
  readonly #pool: pg.Pool;
  readonly #now: () => Date;
  #noted = new Map<string, Date>();

  constructor(pool: pg.Pool, now: () => Date) {
    this.#pool = pool;
    this.#now = now;
  }

  /** @param sha256Hex of the key's secret */
  note(sha256Hex: string): void {
    if (this.#noted.size < MAX_NOTED || this.#noted.has(sha256Hex)) this.#noted.set(sha256Hex, this.#now());
  }

  /** Writes what was noted; what could not be written is noted still. */
  async flush(): Promise<void> {
    const noted = this.#noted;
    if (noted.size === 0) return;
    this.#noted = new Map();
    const hashes = [...noted.keys()].map((hex) => Buffer.from(hex, 'hex'));
    try {
      // Locked in one order, so that two replicas that write the same keys queue up.
      await this.#pool.query(
        `with used as (select * from unnest($1::bytea[], $2::timestamptz[]) u(sha256, at)),
           locked as (select id, coalesce(sha256, api_only_sha256) as sha256 from api_key
             where sha256 = any($1) or api_only_sha256 = any($1) order by id for no key update)
         update api_key k set last_used_at = greatest(k.last_used_at, used.at)
         from locked join used using (sha256) where k.id = locked.id`,
        [hashes, [...noted.values()]],
      );
    } catch (error) {
      for (const [hash, at] of noted) if (!this.#noted.has(hash)) this.#noted.set(hash, at);
      throw error;
    }
  }
}

/** Writes down every minute, and once more at the end. */
export function startKeyUse(keyUse: KeyUse, log: Logger): () => Promise<void> {
  const onError = (err: unknown) => log.warn({ err }, 'when keys were used could not be written; tried again');
  const stop = every(FLUSH_MS, () => keyUse.flush(), onError);
  return async () => {
    await stop();
    await keyUse.flush().catch(onError);
  };
}
