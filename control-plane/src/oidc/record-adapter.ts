import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type pg from 'pg';
import { hashToken } from '../crypto/token.ts';

/** Seconds a record without an end of its own is kept. */
const DEFAULT_SECONDS = 3_600;

type Row = { readonly payload: AdapterPayload; readonly consumed: number | null };

const COLUMNS = 'payload, extract(epoch from consumed_at)::int as consumed';

/**
 * What the provider keeps, in Postgres, so that every replica has it. Ids are bearer secrets: they are hashed, and left
 * out of the payload.
 */
export class RecordAdapter implements Adapter {
  readonly #pool: pg.Pool;
  readonly #model: string;

  constructor(pool: pg.Pool, model: string) {
    this.#pool = pool;
    this.#model = model;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number = DEFAULT_SECONDS): Promise<void> {
    // Not the consumed mark: it is a column, and only `consume` sets it.
    await this.#pool.query({
      name: 'oidc_record_upsert',
      text: `insert into oidc_record (model, id_sha256, payload, grant_id, uid, expires_at)
        values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
        on conflict (model, id_sha256) do update set payload = excluded.payload, grant_id = excluded.grant_id,
          uid = excluded.uid, expires_at = excluded.expires_at`,
      values: [
        this.#model,
        hashToken(id),
        JSON.stringify(withoutBearers(payload)),
        payload.grantId ?? null,
        payload.uid ?? null,
        expiresIn,
      ],
    });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const { rows } = await this.#pool.query<Row>({
      name: 'oidc_record_find',
      text: `select ${COLUMNS} from oidc_record where model = $1 and id_sha256 = $2`,
      values: [this.#model, hashToken(id)],
    });
    return rows[0] && { ...payloadOf(rows[0]), jti: id };
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const { rows } = await this.#pool.query<Row>({
      name: 'oidc_record_find_uid',
      text: `select ${COLUMNS} from oidc_record where model = $1 and uid = $2`,
      values: [this.#model, uid],
    });
    return rows[0] && payloadOf(rows[0]);
  }

  /** Codes that are typed in on another device: that flow is off. */
  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /** @throws InvalidGrant for all who come after the first */
  async consume(id: string): Promise<void> {
    const { rowCount } = await this.#pool.query({
      name: 'oidc_record_consume',
      text: `update oidc_record set consumed_at = now() where model = $1 and id_sha256 = $2 and consumed_at is null`,
      values: [this.#model, hashToken(id)],
    });
    if (rowCount !== 1) throw new errors.InvalidGrant('it was used already');
  }

  async destroy(id: string): Promise<void> {
    await this.#pool.query('delete from oidc_record where model = $1 and id_sha256 = $2', [this.#model, hashToken(id)]);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#pool.query('delete from oidc_record where model = $1 and grant_id = $2', [this.#model, grantId]);
  }
}

function payloadOf({ payload, consumed }: Row): AdapterPayload {
  return consumed === null ? payload : { ...payload, consumed };
}

/** Without the id, and, in an interaction, without that of the provider's session. */
function withoutBearers({ jti: _, session, ...payload }: AdapterPayload): object {
  if (session === undefined) return payload;
  const { cookie: __, ...rest } = session as { cookie?: string };
  return { ...payload, session: rest };
}

/** Removes what has expired. @returns how many records */
export async function pruneRecords(pool: pg.Pool, atMost: number): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from oidc_record where (model, id_sha256) in (
       select model, id_sha256 from oidc_record where expires_at < now() limit $1)`,
    [atMost],
  );
  return rowCount ?? 0;
}
