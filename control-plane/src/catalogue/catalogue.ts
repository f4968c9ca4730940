import type pg from 'pg';
import { z } from 'zod';
import type { PriceList } from '../pricing/price-list.ts';
import type { ExchangeRate } from '../pricing/rate.ts';
import { pricesOfModel, type SourcedPrices } from './model-prices.ts';
import { readPriceSnapshot } from './price-snapshot.ts';
import { ModelRegistration } from './registrations.ts';
import { TENANT_COLUMNS, type TenantRecord, tenantRecord } from './tenant-record.ts';

/** Milliseconds a tenant is taken from memory. Decisions are checked against its revision; this bounds the credential. */
const TENANT_CACHE_MS = 10_000;
/** Tenants kept in memory; when full, all are forgotten and read again as they call. */
const MAX_CACHED_TENANTS = 10_000;

/** A model with its unit prices; undefined where nobody knows any and it is not free. */
export type CatalogueModel = {
  readonly name: string;
  readonly registration: ModelRegistration;
  readonly unitPrices: SourcedPrices | undefined;
};

/** Models, prices and rate at one revision. */
export type CatalogueSnapshot = {
  readonly revision: bigint;
  readonly models: ReadonlyMap<string, CatalogueModel>;
  /** Id of the price snapshot in force. */
  readonly priceSnapshot: string;
  readonly rate: ExchangeRate;
};

const SnapshotRow = z.object({
  revision: z.bigint(),
  models: z.array(z.object({ name: z.string(), registration: ModelRegistration })).nullable(),
  price_snapshot: z.string(),
  day: z.string(),
  usd_per_eur_micro: z.bigint(),
  source: z.string(),
});

/**
 * What the hot path needs to know besides the ledger, kept in memory. Any replica may hold an old copy: the ledger
 * compares the revisions a price was made from and says `stale`, and the caller reads anew.
 */
export class Catalogue {
  readonly #pool: pg.Pool;
  #snapshot: Promise<CatalogueSnapshot> | undefined;
  /** The price list last read; a list never changes under its id. */
  #prices: { readonly id: string; readonly list: PriceList } | undefined;
  readonly #tenants = new Map<string, { record: TenantRecord; readAt: number }>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Models and rate, from memory where there are any. */
  snapshot(): Promise<CatalogueSnapshot> {
    this.#snapshot ??= this.#read().catch((error) => {
      this.#snapshot = undefined;
      throw error;
    });
    return this.#snapshot;
  }

  /** What is stored at this moment, whatever memory holds. */
  readAnew(): Promise<CatalogueSnapshot> {
    return this.#read();
  }

  /** Forgets everything; the next reader gets what is stored now. */
  forget(): void {
    this.#snapshot = undefined;
    this.#tenants.clear();
  }

  /** The tenant whose gateway credential has this sha-256; undefined when there is none. */
  async tenantOfCredential(sha256: Buffer): Promise<TenantRecord | undefined> {
    const key = sha256.toString('hex');
    const cached = this.#tenants.get(key);
    if (cached !== undefined && performance.now() - cached.readAt < TENANT_CACHE_MS) return cached.record;
    const { rows } = await this.#pool.query({
      name: 'tenant_of_credential',
      text: `select ${TENANT_COLUMNS} where t.gateway_credential = $1 and t.state <> 'erased'`,
      values: [sha256],
    });
    this.#tenants.delete(key);
    if (rows[0] === undefined) return undefined;
    const record = tenantRecord(rows[0]);
    if (this.#tenants.size >= MAX_CACHED_TENANTS) this.#tenants.clear();
    this.#tenants.set(key, { record, readAt: performance.now() });
    return record;
  }

  /** The tenant of this name as it is stored now. */
  async tenantByName(name: string): Promise<TenantRecord | undefined> {
    const { rows } = await this.#pool.query({
      name: 'tenant_by_name',
      text: `select ${TENANT_COLUMNS} where t.name = $1 and t.state <> 'erased'`,
      values: [name],
    });
    return rows[0] === undefined ? undefined : tenantRecord(rows[0]);
  }

  async #read(): Promise<CatalogueSnapshot> {
    const { rows } = await this.#pool.query(`
      select c.revision, r.day::text, r.usd_per_eur_micro, r.source,
        (select id from price_snapshot order by sequence desc limit 1) as price_snapshot,
        (select jsonb_agg(jsonb_build_object('name', name, 'registration', registration)) from model) as models
      from catalogue c, (select * from exchange_rate order by day desc limit 1) r`);
    const row = SnapshotRow.parse(rows[0]);
    const list = await this.#priceList(row.price_snapshot);
    const models = (row.models ?? []).map(({ name, registration }): [string, CatalogueModel] => [
      name,
      { name, registration, unitPrices: pricesOfModel(registration, list) },
    ]);
    return {
      revision: row.revision,
      models: new Map(models),
      priceSnapshot: row.price_snapshot,
      rate: { day: row.day, usdPerEurMicro: row.usd_per_eur_micro, source: row.source },
    };
  }

  async #priceList(id: string): Promise<PriceList> {
    if (this.#prices?.id !== id) {
      const list = await readPriceSnapshot(this.#pool, id);
      if (list === undefined) throw new Error(`price snapshot ${id} is in force and not there`);
      this.#prices = { id, list };
    }
    return this.#prices.list;
  }
}

/** Stores a day's rate. A rate that is in already stays as it is: postings refer to it. */
export async function storeRate(pool: pg.Pool, rate: ExchangeRate): Promise<void> {
  await pool.query(
    'insert into exchange_rate (day, usd_per_eur_micro, source) values ($1, $2, $3) on conflict (day) do nothing',
    [rate.day, rate.usdPerEurMicro, rate.source],
  );
}
