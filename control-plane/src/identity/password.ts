import { HttpProblem } from '../http/problem.ts';
import { HASH_COST, type HashCost, hashPassword, isStale, matchesHash } from './password-hash.ts';

/** Hashes computed at once. Each takes 64 MiB and a core; libuv has four threads, and files need one too. */
export const HASHES_AT_ONCE = 2;
/** Callers that wait for their turn; the next one is told to come back, before the queue takes longer than it would. */
export const MAX_WAITING_HASHES = 40;
const BUSY_RETRY_SECONDS = 5;

/** What a comparison found. `renewed`: the same password hashed at today's cost, to be stored instead. */
export type Comparison = { readonly right: boolean; readonly renewed: string | undefined };

/** Hashes and compares passwords, a few at a time. One per process. */
export class Passwords {
  readonly #cost: HashCost;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;
  /** A hash nobody has the password of, made at the first need: comparing with it costs what a real one costs. */
  #decoy: Promise<string> | undefined;

  constructor(cost: HashCost = HASH_COST) {
    this.#cost = cost;
  }

  /** @throws HttpProblem 503 when too many wait already */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hashPassword(password, this.#cost));
  }

  /**
   * Without a stored hash (nobody has this address, or it has no password) the same work is done, and it is wrong.
   * @throws HttpProblem 503 when too many wait already
   */
  async compare(password: string, stored: string | null): Promise<Comparison> {
    this.#decoy ??= hashPassword(crypto.randomUUID(), this.#cost);
    const decoy = await this.#decoy;
    const right = (await this.#inTurn(() => matchesHash(password, stored ?? decoy))) && stored !== null;
    const stale = right && isStale(stored, this.#cost);
    return { right, renewed: stale ? await this.hash(password) : undefined };
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#underWay >= HASHES_AT_ONCE) {
      if (this.#waiting.length >= MAX_WAITING_HASHES) {
        const detail = 'too many people sign in at this moment; nothing was changed, try again';
        throw new HttpProblem(503, 'sign_in_busy', detail, { retryAfterSeconds: BUSY_RETRY_SECONDS });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#underWay += 1;
    }
    try {
      return await work();
    } finally {
      // The turn goes straight to who waits longest, so nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay -= 1;
      else next();
    }
  }
}
