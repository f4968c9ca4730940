import type pg from 'pg';
import type { Logger } from 'pino';
import type { Bell } from '../events/bell.ts';
import { TOKEN_SECONDS } from './service-token.ts';

/** Milliseconds between two looks when nothing rings; without the bell's connection it looks every second. */
const LOOK_MS = 15_000;
/** Seconds that clocks of database and processes may differ. */
const SKEW_SECONDS = 60;

/**
 * The keys that were revoked within the life of a token: the tokens that were given for them are refused. Kept in
 * memory and read anew when the database rings, so that a call with a token needs no look at the table.
 */
export class RevokedKeys {
  readonly #pool: pg.Pool;
  #ids: ReadonlySet<string> = new Set();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  has(keyId: string): boolean {
    return this.#ids.has(keyId);
  }

  async read(): Promise<void> {
    const { rows } = await this.#pool.query<{ id: string }>(
      `select id from api_key where kind = 'api' and revoked_at > now() - make_interval(secs => $1)`,
      [TOKEN_SECONDS + SKEW_SECONDS],
    );
    this.#ids = new Set(rows.map(({ id }) => id));
  }
}

/** Reads now, and whenever a key is revoked. */
export async function startRevokedKeys(revoked: RevokedKeys, bell: Bell, log: Logger): Promise<() => Promise<void>> {
  const ear = bell.ear('cloudfreedom_key', 'revoked');
  await revoked.read();
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await ear.wait(LOOK_MS, stopping.signal);
      if (stopping.signal.aborted) break;
      // What fails now is read at the next look: a token of a revoked key may live until then, and never beyond its end.
      await revoked.read().catch((err) => log.warn({ err }, 'the revoked keys could not be read'));
    }
  })();
  return async () => {
    stopping.abort();
    await running;
    ear.close();
  };
}
