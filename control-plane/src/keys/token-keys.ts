import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import type pg from 'pg';
import { z } from 'zod';
import type { Vault } from '../crypto/vault.ts';
import { inTransaction } from '../database/pool.ts';
import type { TokenSigner } from './service-token.ts';
import { KEYS_KEPT_SECONDS, planTokenKeys } from './token-key-plan.ts';

/** Replicas that find the next key due at the same time queue up. */
const MAKE_LOCK = 'token-key';
/** What the vault seals the private keys for. */
const PURPOSE = 'token-key';
/** Milliseconds between two reads for a kid nobody knows: strangers' tokens must not become queries. */
const UNKNOWN_KID_PAUSE_MS = 1_000;

const Row = z.object({
  kid: z.string(),
  public_jwk: z.custom<JWK>((value) => typeof value === 'object' && value !== null),
  private_key: z.instanceof(Buffer),
  created_at: z.date(),
});

type TokenKey = {
  readonly kid: string;
  readonly createdAt: Date;
  readonly publicJwk: JWK;
  readonly publicKey: KeyObject;
  readonly sealed: Buffer;
};

/** The keys that sign service tokens: in the database, sealed; made when there is need; kept in memory for a minute. */
export class TokenKeys {
  readonly #pool: pg.Pool;
  readonly #vault: Vault;
  readonly #now: () => Date;
  #keys: readonly TokenKey[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(pool: pg.Pool, vault: Vault, now: () => Date) {
    this.#pool = pool;
    this.#vault = vault;
    this.#now = now;
  }

  /** The key that signs now; made where there is none, or where the last one is old. */
  async signer(): Promise<TokenSigner> {
    let keys = await this.#kept();
    let plan = planTokenKeys(keys, this.#now());
    if (plan.makeNext) {
      keys = await this.#makeNext();
      plan = planTokenKeys(keys, this.#now());
    }
    const key = keys.find(({ kid }) => kid === plan.signs);
    if (key === undefined) throw new Error('no key signs tokens');
    const pem = this.#vault.open(PURPOSE, key.sealed, key.kid);
    return { kid: key.kid, privateKey: createPrivateKey(pem) };
  }

  /** The key that a token names, if what it has signed may still live. */
  async publicKey(kid: string): Promise<KeyObject | undefined> {
    const find = (keys: readonly TokenKey[]) => {
      const { published } = planTokenKeys(keys, this.#now());
      return published.includes(kid) ? keys.find((key) => key.kid === kid)?.publicKey : undefined;
    };
    const known = find(await this.#kept());
    if (known !== undefined || performance.now() - this.#readAt < UNKNOWN_KID_PAUSE_MS) return known;
    return find(await this.#read());
  }

  /** What verifiers are to know. */
  async published(): Promise<readonly JWK[]> {
    const keys = await this.#kept();
    const { published } = planTokenKeys(keys, this.#now());
    return keys.filter(({ kid }) => published.includes(kid)).map(({ publicJwk }) => publicJwk);
  }

  async #kept(): Promise<readonly TokenKey[]> {
    return performance.now() - this.#readAt < KEYS_KEPT_SECONDS * 1_000 ? this.#keys : this.#read();
  }

  async #read(): Promise<readonly TokenKey[]> {
    this.#keys = await load(this.#pool);
    this.#readAt = performance.now();
    return this.#keys;
  }

  async #makeNext(): Promise<readonly TokenKey[]> {
    await inTransaction(this.#pool, async (client) => {
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [MAKE_LOCK]);
      const { makeNext, published } = planTokenKeys(await load(client), this.#now());
      if (!makeNext) return;
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const kid = randomUUID();
      const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'EdDSA' };
      const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
      await client.query('delete from token_key where kid <> all($1)', [published]);
      await client.query('insert into token_key (kid, public_jwk, private_key, created_at) values ($1, $2, $3, $4)', [
        kid,
        jwk,
        this.#vault.seal(PURPOSE, pem, kid),
        this.#now(),
      ]);
    });
    return this.#read();
  }
}

async function load(client: pg.Pool | pg.PoolClient): Promise<TokenKey[]> {
  const { rows } = await client.query('select * from token_key order by created_at, kid');
  return rows.map((row) => {
    const { kid, public_jwk, private_key, created_at } = Row.parse(row);
    const publicKey = createPublicKey({ key: public_jwk as never, format: 'jwk' });
    return { kid, createdAt: created_at, publicJwk: public_jwk, publicKey, sealed: private_key };
  });
}
