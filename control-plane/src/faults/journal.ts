import type pg from 'pg';

/** What the control plane has acknowledged of one request: the answers that a gateway has acted upon. */
export type Acknowledged = {
  readonly tenant: string;
  authorised?: 'granted' | 'refused';
  settledNanoEur?: string;
  voided?: true;
};

/** Everything that was acknowledged: what no crash may take back. */
export type Journal = {
  readonly requests: Map<string, Acknowledged>;
  /** Idempotency keys of top-ups. */
  readonly topUps: Set<string>;
};

export function emptyJournal(): Journal {
  return { requests: new Map(), topUps: new Set() };
}

/** The journal as it is at this instant. */
export function copyOf({ requests, topUps }: Journal): Journal {
  const copied = [...requests].map(([id, request]): [string, Acknowledged] => [id, { ...request }]);
  return { requests: new Map(copied), topUps: new Set(topUps) };
}

type Stored = { readonly request_id: string; readonly state: string; readonly total: bigint | null };

/** What was acknowledged and is not in the database: it should find nothing. */
export async function missing(pool: pg.Pool, journal: Journal): Promise<string[]> {
  const { rows } = await pool.query<Stored>(
    `select h.request_id, h.state, u.total from hold h left join usage_line u using (account_id, request_id)
     where h.request_id = any($1)`,
    [[...journal.requests.keys()]],
  );
  const stored = new Map(rows.map((row) => [row.request_id, row]));
  const requests = [...journal.requests].flatMap(([id, request]) => {
    const lacks = lackOf(request, stored.get(id));
    return lacks === undefined ? [] : [`request ${id}: ${lacks}`];
  });
  const keys = [...journal.topUps];
  const grants = await pool.query<{ key: string }>(
    'select idempotency_key as key from ledger_grant where idempotency_key = any($1)',
    [keys.map((key) => `api:${key}`)],
  );
  const granted = new Set(grants.rows.map(({ key }) => key));
  return [...requests, ...keys.filter((key) => !granted.has(`api:${key}`)).map((key) => `top-up ${key} is lost`)];
}

function lackOf(request: Acknowledged, stored: Stored | undefined): string | undefined {
  if (request.settledNanoEur !== undefined) {
    const total = stored?.total?.toString();
    return total === request.settledNanoEur ? undefined : `billed ${total}, acknowledged ${request.settledNanoEur}`;
  }
  if (request.voided) return stored?.state === 'voided' ? undefined : `is ${stored?.state}, was voided`;
  if (request.authorised === 'refused') return stored?.state === 'refused' ? undefined : `is ${stored?.state}`;
  if (request.authorised === undefined || stored !== undefined) return undefined;
  return 'its hold is lost';
}

/** Nothing twice and nothing extra, once every request has ended: sums and counts are those of the journal. */
export async function surplus(pool: pg.Pool, journal: Journal): Promise<string[]> {
  const { rows } = await pool.query<{ billed: bigint | null; held: bigint; topped: bigint }>(
    `select (select sum(total)::bigint from usage_line) as billed, (select sum(held)::bigint from balance) as held,
       (select count(*) from ledger_grant where source = 'top_up') as topped`,
  );
  const expected = [...journal.requests.values()].reduce(
    (sum, { settledNanoEur }) => sum + BigInt(settledNanoEur ?? 0),
    0n,
  );
  const { billed, held, topped } = rows[0] ?? { billed: null, held: 0n, topped: 0n };
  const faults = await pool.query<{ fault: string }>('select fault from ledger_faults');
  return [
    ...(billed === null || billed === expected ? [] : [`${billed} billed in all, ${expected} acknowledged`]),
    ...(held === 0n ? [] : [`${held} are still held`]),
    ...(topped === BigInt(journal.topUps.size) ? [] : [`${topped} top-ups, ${journal.topUps.size} acknowledged`]),
    ...faults.rows.map(({ fault }) => `replay: ${fault}`),
  ];
}
