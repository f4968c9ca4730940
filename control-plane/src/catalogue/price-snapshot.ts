import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { payloadHash } from '../ledger/payload-hash.ts';
import { PriceList } from '../pricing/price-list.ts';

/** The list that this release ships; made by e2e/prices/generate.ts. */
const SHIPPED = join(import.meta.dirname, '../../db/prices/litellm.json');

/** The id of a list: the sha-256 of its content in lower-case hex, whatever the order of its keys. */
export function priceSnapshotId(list: PriceList): string {
  return payloadHash(list).toString('hex');
}

export async function shippedPriceList(): Promise<PriceList> {
  return PriceList.parse(JSON.parse(await readFile(SHIPPED, 'utf8')));
}

/** Stores a list, which is then in force; one that is in already changes nothing. @returns its id */
export async function storePriceList(pool: pg.Pool, list: PriceList): Promise<string> {
  const id = priceSnapshotId(list);
  await pool.query('insert into price_snapshot (id, litellm, prices) values ($1, $2, $3) on conflict (id) do nothing', [
    id,
    list.litellm,
    JSON.stringify(list.prices),
  ]);
  return id;
}

/** The list of this id; undefined when there is none. */
export async function readPriceSnapshot(pool: pg.Pool, id: string): Promise<PriceList | undefined> {
  const { rows } = await pool.query<object>('select litellm, prices from price_snapshot where id = $1', [id]);
  return rows[0] === undefined ? undefined : PriceList.parse(rows[0]);
}
