import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { type MakeProviderParts, makeProvider } from './provider.ts';
import { readSigningKeys, type SigningKey } from './signing-keys.ts';

/**
 * Milliseconds after which a replica looks whether there are other keys. Far below the time a key is published before it
 * signs, so every replica verifies a key before any signs with it.
 */
export const LOOK_AGAIN_MS = 30_000;

/** The provider with the present keys. */
export type Present = {
  readonly provider: Provider;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly keys: readonly [SigningKey, ...SigningKey[]];
};

/** Hands out the provider of the moment. Other keys make another one; requests under way finish with the one they began with. */
export class Providers {
  readonly #parts: MakeProviderParts & { readonly now: () => Date };
  #present: Present | undefined;
  #lookedAt = -Infinity;
  #looking: Promise<Present> | undefined;

  constructor(parts: MakeProviderParts & { readonly now: () => Date }) {
    this.#parts = parts;
  }

  async present(): Promise<Present> {
    const age = this.#parts.now().getTime() - this.#lookedAt;
    // A clock that was set back makes an age below zero: that is no reason to trust what was read.
    if (this.#present !== undefined && age >= 0 && age < LOOK_AGAIN_MS) return this.#present;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<Present> {
    const now = this.#parts.now();
    try {
      const keys = await readSigningKeys(this.#parts.pool, this.#parts.vault, now);
      if (this.#present === undefined || ids(keys) !== ids(this.#present.keys)) {
        const provider = makeProvider(this.#parts, keys);
        this.#present = { provider, handle: provider.callback(), keys };
      }
      this.#lookedAt = now.getTime();
      return this.#present;
    } catch (error) {
      // What was good half a minute ago is good enough to say, by its own errors, that the database is away.
      if (this.#present === undefined) throw error;
      return this.#present;
    }
  }
}

function ids(keys: readonly SigningKey[]): string {
  return keys.map(({ kid }) => kid).join(' ');
}
