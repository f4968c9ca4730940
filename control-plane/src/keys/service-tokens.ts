import type { JWK } from 'jose';
import type { RevokedKeys } from './revoked-keys.ts';
import { signServiceToken, type TokenSubject, verifyServiceToken } from './service-token.ts';
import type { TokenKeys } from './token-keys.ts';

/** Gives and reads the tokens that service keys are exchanged for. */
export class ServiceTokens {
  readonly #keys: TokenKeys;
  readonly #revoked: RevokedKeys;
  readonly #issuer: string;
  readonly #now: () => Date;
  /** What a token for our own API names as its audience. */
  readonly audience: string;

  /** @param portalUrl where our public keys are found: the issuer */
  constructor(keys: TokenKeys, revoked: RevokedKeys, portalUrl: string, now: () => Date) {
    this.#keys = keys;
    this.#revoked = revoked;
    this.#issuer = portalUrl;
    this.#now = now;
    this.audience = `${portalUrl}/v1`;
  }

  /** @param audience who is to accept it; absent: our own API */
  async issue(
    subject: TokenSubject,
    audience: string = this.audience,
  ): Promise<{ readonly token: string; readonly expiresAt: Date }> {
    const signer = await this.#keys.signer();
    return signServiceToken(signer, { issuer: this.#issuer, audience }, subject, this.#now());
  }

  /** Whom a token speaks for at our API; undefined also where its key was revoked. */
  async read(token: string): Promise<TokenSubject | undefined> {
    const parties = { issuer: this.#issuer, audience: this.audience };
    const subject = await verifyServiceToken(token, (kid) => this.#keys.publicKey(kid), parties, this.#now());
    return subject === undefined || this.#revoked.has(subject.keyId) ? undefined : subject;
  }

  /** What others need to verify them. */
  publicKeys(): Promise<readonly JWK[]> {
    return this.#keys.published();
  }
}
