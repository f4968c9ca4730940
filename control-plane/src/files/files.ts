import { createHash } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import { inTransaction } from '../database/pool.ts';
import { contentAddress, type FileDriver } from './file-driver.ts';
import { FILE_KINDS, FileKind, MAX_TENANT_BYTES, MAX_UPLOADED_FILES } from './file-kinds.ts';
import { sniff } from './sniff.ts';

/** Whose file it is, what for, and its name. */
export type FileName = { readonly tenantId: bigint; readonly kind: FileKind; readonly name: string };

export type FileRecord = {
  readonly kind: FileKind;
  readonly name: string;
  readonly contentType: string;
  readonly size: bigint;
  readonly sha256: Buffer;
  readonly personId: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
};

export type NewFile = FileName & {
  readonly content: Buffer;
  /** What its maker says it is. */
  readonly contentType: string;
  readonly personId?: string;
  readonly expiresAt?: Date;
};

export type StoreOutcome =
  | { readonly outcome: 'created' | 'replaced'; readonly file: FileRecord }
  | { readonly outcome: 'wrong_type' | 'too_large' | 'quota' | 'too_many' };

const Row = z
  .object({
    kind: FileKind,
    name: z.string(),
    content_type: z.string(),
    size: z.bigint(),
    sha256: z.instanceof(Buffer),
    person_id: z.string().nullable(),
    created_at: z.date(),
    expires_at: z.date().nullable(),
  })
  .transform(
    (row): FileRecord => ({
      kind: row.kind,
      name: row.name,
      contentType: row.content_type,
      size: row.size,
      sha256: row.sha256,
      personId: row.person_id,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
    }),
  );

const LIVE = `select f.*, c.size from file f join file_content c using (tenant_id, sha256)
  where f.tenant_id = $1 and (f.expires_at is null or f.expires_at > now())`;

/** Files of tenants: what they are in Postgres, their bytes with a driver. */
export class Files {
  readonly #pool: pg.Pool;
  readonly #driver: FileDriver;

  constructor(pool: pg.Pool, driver: FileDriver) {
    this.#pool = pool;
    this.#driver = driver;
  }

  /** Stores a file, in place of the one of its name where there is one. */
  async store(file: NewFile): Promise<StoreOutcome> {
    const { content, tenantId, kind } = file;
    const rule = FILE_KINDS[kind];
    if (content.length > rule.maxBytes) return { outcome: 'too_large' };
    const type = sniff(content);
    if (type === undefined || type !== file.contentType || !rule.types.includes(type)) return { outcome: 'wrong_type' };
    const sha256 = createHash('sha256').update(content).digest();
    const fault = await inTransaction(this.#pool, (client) => this.#makeRoom(client, file, sha256));
    if (fault !== undefined) return { outcome: fault };
    await this.#driver.put(contentAddress(tenantId, sha256), content);
    const { rows } = await this.#pool.query<{ fresh: boolean }>(
      `with stored as (
         insert into file (tenant_id, kind, name, content_type, sha256, person_id, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, kind, name) do update set content_type = $4, sha256 = $5, person_id = $6,
           expires_at = $7, created_at = now() returning *, xmax = 0 as fresh)
       select s.*, c.size from stored s join file_content c using (tenant_id, sha256)`,
      [tenantId, kind, file.name, type, sha256, file.personId ?? null, file.expiresAt ?? null],
    );
    return { outcome: rows[0]?.fresh ? 'created' : 'replaced', file: Row.parse(rows[0]) };
  }

  /** Notes what is about to be stored, if the tenant has room for it: the sweeper finds it, should we be killed now. */
  async #makeRoom(client: pg.PoolClient, file: NewFile, sha256: Buffer): Promise<'quota' | 'too_many' | undefined> {
    const { tenantId, kind, name } = file;
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`files/${tenantId}`]);
    const { rows } = await client.query<{ bytes: bigint; others: bigint }>(
      `select (select coalesce(sum(size), 0)::bigint from file_content where tenant_id = $1 and sha256 <> $2) as bytes,
         (select count(*) from file where tenant_id = $1 and kind = $3 and name <> $4) as others`,
      [tenantId, sha256, kind, name],
    );
    const { bytes = 0n, others = 0n } = rows[0] ?? {};
    if (kind === 'logo' && others >= MAX_UPLOADED_FILES) return 'too_many';
    if (bytes + BigInt(file.content.length) > MAX_TENANT_BYTES) return 'quota';
    await client.query(
      `insert into file_content (tenant_id, sha256, size) values ($1, $2, $3)
       on conflict (tenant_id, sha256) do update set touched_at = now()`,
      [tenantId, sha256, file.content.length],
    );
    return undefined;
  }

  /** What a file is; undefined: there is none, or no more. */
  async find({ tenantId, kind, name }: FileName): Promise<FileRecord | undefined> {
    const { rows } = await this.#pool.query(`${LIVE} and f.kind = $2 and f.name = $3`, [tenantId, kind, name]);
    return rows[0] === undefined ? undefined : Row.parse(rows[0]);
  }

  /** The bytes of a file of this tenant. @throws Error when the storage has lost them */
  async content(tenantId: bigint, { sha256 }: FileRecord): Promise<Buffer> {
    const address = contentAddress(tenantId, sha256);
    const content = await this.#driver.get(address);
    if (content === undefined) throw new Error(`the storage has nothing at ${address}, which a file refers to`);
    return content;
  }

  /** Files of these kinds after a position, in order of kind and name; one more than `limit` where there are more. */
  async list(
    tenantId: bigint,
    kinds: readonly FileKind[],
    [afterKind, afterName]: readonly [string, string],
    limit: number,
  ): Promise<FileRecord[]> {
    const { rows } = await this.#pool.query(
      `${LIVE} and f.kind = any($2) and (f.kind, f.name) > ($3, $4) order by f.kind, f.name limit $5`,
      [tenantId, kinds, afterKind, afterName, limit + 1],
    );
    return rows.map((row) => Row.parse(row));
  }

  /** Forgets a file; its bytes are swept up later. @returns what it was */
  async remove({ tenantId, kind, name }: FileName): Promise<FileRecord | undefined> {
    const { rows } = await this.#pool.query(
      `with gone as (delete from file where tenant_id = $1 and kind = $2 and name = $3 returning *)
       select g.*, c.size from gone g join file_content c using (tenant_id, sha256)`,
      [tenantId, kind, name],
    );
    return rows[0] === undefined ? undefined : Row.parse(rows[0]);
  }
}
