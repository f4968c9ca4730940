import { generateKeyPair as generateKeyPairWithCallback } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type pg from 'pg';
import { z } from 'zod';
import type { Vault } from '../crypto/vault.ts';
import { inTransaction } from '../database/pool.ts';

/** Days a key signs before another takes its place. */
export const ROTATE_DAYS = 90;
/**
 * Hours a new key is published before it signs: longer than any client keeps a key set, and than any replica goes without
 * looking.
 */
export const LEAD_HOURS = 24;
/** Days a replaced key still verifies: as long as a session, whose ID token may come back when it is signed out. */
export const KEEP_DAYS = 30;
/** Bits of RSA: what NIST SP 800-57 asks for until 2030. */
const MODULUS_BITS = 2048;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;
const PURPOSE = 'oidc-signing-key';
/** Before every key. */
const NEVER = new Date(0);

const generateKeyPair = promisify(generateKeyPairWithCallback);

/** A key, the private part included. */
export type SigningKey = {
  readonly kid: string;
  readonly jwk: JWK;
  readonly createdAt: Date;
  readonly signsFrom: Date;
};

const Row = z.object({ kid: z.string(), sealed: z.instanceof(Buffer), created_at: z.date(), signs_from: z.date() });

/** All keys, the one that signs at `now` first. There is always one. */
export async function readSigningKeys(pool: pg.Pool, vault: Vault, now: Date): Promise<[SigningKey, ...SigningKey[]]> {
  const keys = await storedKeys(pool, vault);
  const [first, ...rest] = inOrder(keys, now);
  if (first !== undefined) return [first, ...rest];
  await addSigningKey(pool, vault, now, NEVER);
  const [made, ...others] = inOrder(await storedKeys(pool, vault), now);
  if (made === undefined) throw new Error('the signing key that was just made is not there');
  return [made, ...others];
}

async function storedKeys(pool: pg.Pool, vault: Vault): Promise<SigningKey[]> {
  const { rows } = await pool.query(
    'select kid, sealed, created_at, signs_from from oidc_signing_key order by created_at desc, kid',
  );
  return rows.map((row) => {
    const { kid, sealed, created_at, signs_from } = Row.parse(row);
    const jwk = JSON.parse(vault.open(PURPOSE, sealed, kid)) as JWK;
    return { kid, jwk, createdAt: created_at, signsFrom: signs_from };
  });
}

/** The newest whose time has come signs; without one, the first to come does, which is better than none. */
export function inOrder<Key extends { readonly signsFrom: Date }>(keys: readonly Key[], now: Date): Key[] {
  const newestFirst = [...keys].sort((a, b) => b.signsFrom.getTime() - a.signsFrom.getTime());
  const signing = newestFirst.find(({ signsFrom }) => signsFrom <= now) ?? newestFirst.at(-1);
  return signing === undefined ? [] : [signing, ...newestFirst.filter((key) => key !== signing)];
}

/**
 * Makes a key that signs from `signsFrom` on.
 * @param unlessAfter none is made where one that signs from later than this is there: another replica was faster
 * @returns the key's id
 */
export async function addSigningKey(pool: pg.Pool, vault: Vault, signsFrom: Date, unlessAfter?: Date): Promise<string> {
  const { privateKey } = await generateKeyPair('rsa', { modulusLength: MODULUS_BITS });
  const jwk: JWK = { ...(privateKey.export({ format: 'jwk' }) as JWK), alg: 'RS256', use: 'sig' };
  const kid = await calculateJwkThumbprint(jwk);
  const sealed = vault.seal(PURPOSE, JSON.stringify({ ...jwk, kid }), kid);
  return inTransaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('oidc_signing_key', 0))`);
    await client.query(
      `insert into oidc_signing_key (kid, sealed, signs_from) select $1, $2, $3
       where $4::timestamptz is null or not exists (select from oidc_signing_key where signs_from > $4)`,
      [kid, sealed, signsFrom, unlessAfter ?? null],
    );
    return kid;
  });
}

/**
 * What is to be done about keys of these ages: whether another is due, and which are not needed any more. The first key
 * is made by whoever needs one.
 */
export function decideRotation(
  keys: readonly { readonly kid: string; readonly signsFrom: Date }[],
  now: Date,
): { readonly add: boolean; readonly remove: readonly string[] } {
  const newestFirst = [...keys].sort((a, b) => b.signsFrom.getTime() - a.signsFrom.getTime());
  const newest = newestFirst[0];
  const due = newest !== undefined && now.getTime() - newest.signsFrom.getTime() >= ROTATE_DAYS * MS_PER_DAY;
  const replaced = newestFirst.filter((_, place) => {
    const successor = newestFirst[place - 1];
    return successor !== undefined && now.getTime() - successor.signsFrom.getTime() >= KEEP_DAYS * MS_PER_DAY;
  });
  return { add: due, remove: replaced.map(({ kid }) => kid) };
}

/** Does what is due, in as many replicas as there are: one of them adds the key. */
export async function rotateWhenDue(pool: pg.Pool, vault: Vault, now: Date): Promise<void> {
  const { rows } = await pool.query<{ kid: string; signsFrom: Date }>(
    'select kid, signs_from as "signsFrom" from oidc_signing_key order by signs_from desc',
  );
  const { add, remove } = decideRotation(rows, now);
  if (add) await addSigningKey(pool, vault, signsFromOfNext(now), rows[0]?.signsFrom ?? NEVER);
  if (remove.length > 0) await pool.query('delete from oidc_signing_key where kid = any($1)', [remove]);
}

/** Forgets every key but one: what they signed is worth nothing from then on. */
export async function removeOtherKeys(pool: pg.Pool, kid: string): Promise<void> {
  await pool.query('delete from oidc_signing_key where kid <> $1', [kid]);
}

/** When a key that is made now may sign. */
export function signsFromOfNext(now: Date): Date {
  return new Date(now.getTime() + LEAD_HOURS * MS_PER_HOUR);
}
