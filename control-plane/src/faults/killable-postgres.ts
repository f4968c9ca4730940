import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../database/embedded-postgres.ts';

/** Backends of a killed postmaster need a moment to notice; until then nobody else may have their memory. */
const START_ATTEMPTS = 60;
const BETWEEN_ATTEMPTS_MS = 250;

/** The product's own Postgres, durability on, that can be killed and started again. */
export class KillablePostgres {
  readonly #folder: string;
  #running: EmbeddedPostgres | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<KillablePostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'cloudfreedom-kill-'));
    await chmod(folder, 0o711);
    const postgres = new KillablePostgres(folder);
    await postgres.restart();
    return postgres;
  }

  /** For DATABASE_URL, which has to name a host; the socket's folder in the query is what counts. */
  get url(): string {
    if (this.#running === undefined) throw new Error('Postgres does not run');
    return this.#running.url.replace('@/', '@localhost/');
  }

  /** Resolves when it has recovered. */
  async restart(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const folder = join(this.#folder, 'postgres');
        this.#running = await startEmbeddedPostgres({ folder, temporary: true, onLog: () => {} });
        return;
      } catch (error) {
        if (attempt === START_ATTEMPTS) throw error;
        await sleep(BETWEEN_ATTEMPTS_MS);
      }
    }
  }

  /** SIGKILL to the postmaster: no checkpoint, no goodbye to clients, dirty pages gone with their memory. */
  async kill(): Promise<void> {
    const file = await readFile(join(this.#folder, 'postgres/data/postmaster.pid'), 'utf8');
    process.kill(Number(file.slice(0, file.indexOf('\n'))), 'SIGKILL');
  }

  async remove(): Promise<void> {
    await this.#running?.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
