import { TOKEN_SECONDS } from './service-token.ts';

/** Days after which the next key is made. */
const ROTATE_DAYS = 30;
/** Seconds a key is published before it signs: verifiers keep what they read of us for a while. */
const ANNOUNCE_SECONDS = 3_600;
/** Seconds that a process may go on with what it knew of the keys. */
export const KEYS_KEPT_SECONDS = 60;
/** Seconds that clocks may differ. */
const SKEW_SECONDS = 240;

const SECOND_MS = 1_000;
const ROTATE_MS = ROTATE_DAYS * 86_400_000;
const ANNOUNCE_MS = ANNOUNCE_SECONDS * SECOND_MS;
/** A successor of this age signs everywhere, and what its predecessor has signed is over. */
const SUCCEEDED_MS = (ANNOUNCE_SECONDS + TOKEN_SECONDS + KEYS_KEPT_SECONDS + SKEW_SECONDS) * SECOND_MS;

export type KeyAge = { readonly kid: string; readonly createdAt: Date };

export type TokenKeyPlan = {
  /** The key that signs; undefined: there is none yet. */
  readonly signs: string | undefined;
  /** What verifiers are to know, oldest first. */
  readonly published: readonly string[];
  readonly makeNext: boolean;
};

/** Which key signs, which are still needed, and whether it is time for the next one. `keys` oldest first. */
export function planTokenKeys(keys: readonly KeyAge[], now: Date): TokenKeyPlan {
  const age = (key: KeyAge | undefined) => (key === undefined ? Infinity : now.getTime() - key.createdAt.getTime());
  const announced = keys.findLast((key) => age(key) >= ANNOUNCE_MS);
  const published = keys.filter((_, place) => {
    const successor = keys[place + 1];
    return successor === undefined || age(successor) < SUCCEEDED_MS;
  });
  return {
    // The very first key has nobody to wait for.
    signs: (announced ?? keys[0])?.kid,
    published: published.map(({ kid }) => kid),
    makeNext: age(keys.at(-1)) >= ROTATE_MS,
  };
}
