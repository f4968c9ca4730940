import { randomUUID } from 'node:crypto';
import type { ApiAnswer, WayIn } from '../platform/way-in.ts';
import { until } from '../process/until.ts';

/** A tenant's budget in integer nano-euro. */
export interface Budget {
  granted: bigint;
  posted: bigint;
  held: bigint;
  leased: bigint;
  available: bigint;
  overrun: bigint;
}

/** One line of `GET /v1/tenants/{tenant}/ledger`. */
export interface LedgerEntry {
  sequence: number;
  kind: 'grant' | 'lease' | 'draw' | 'hold' | 'post' | 'void' | 'expire' | 'refuse' | 'overrun' | 'lapse';
  requestId?: string;
  reason?: string;
  amountNanoEur: string;
  grantedAfterNanoEur: string;
  postedAfterNanoEur: string;
  heldAfterNanoEur: string;
}

/** Milliseconds within which what ran is settled, a restart of its gateway included. */
const SETTLE_TIMEOUT_MS = 240_000;
/** Nano-euro in one euro. */
export const NANO_EUR = 1_000_000_000n;

/** Reads a tenant's budget. */
export async function budgetOf(way: WayIn, tenant: string): Promise<Budget> {
  const { status, body } = await way.api<Record<string, string>>('GET', `/v1/tenants/${tenant}/budget`);
  if (status !== 200) throw new Error(`no budget of ${tenant}: ${status} ${JSON.stringify(body)}`);
  const amount = (name: string) => BigInt(body[`${name}NanoEur`] as string);
  return {
    granted: amount('granted'),
    posted: amount('posted'),
    held: amount('held'),
    leased: amount('leased'),
    available: amount('available'),
    overrun: amount('overrun'),
  };
}

/**
 * Waits until nothing of a tenant's budget is held any more and, where `above` is given, more than that is posted.
 * Settlements follow their answers by moments; those of a killed gateway come when its successor is up.
 */
export function settled(way: WayIn, tenant: string, above?: bigint): Promise<Budget> {
  return until(
    `the postings of ${tenant}`,
    async () => {
      const budget = await budgetOf(way, tenant);
      return budget.held === 0n && (above === undefined || budget.posted > above) ? budget : undefined;
    },
    { timeoutMs: SETTLE_TIMEOUT_MS },
  );
}

/** Tops a tenant's budget up; `key` makes a repeat harmless. */
export async function topUp(way: WayIn, tenant: string, amount: bigint, key: string = randomUUID()): Promise<void> {
  const body = { source: 'top_up', amountNanoEur: amount.toString(), note: 'bought in the portal' };
  const answer = await way.api('POST', `/v1/tenants/${tenant}/grants`, body, { 'idempotency-key': key });
  if (answer.status !== 201) throw new Error(`no top-up of ${tenant}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** Every page of one of a tenant's lists, oldest first as the API gives them. */
export async function allPages<Item>(way: WayIn, path: string): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const query: URLSearchParams = new URLSearchParams({ limit: '200', ...(cursor ? { cursor } : {}) });
    const answer: ApiAnswer<Page<Item>> = await way.api('GET', `${path}?${query}`);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    items.push(...answer.body.items);
    cursor = answer.body.nextCursor ?? null;
  } while (cursor);
  return items;
}

/** A tenant's whole ledger in sequence order. */
export const ledgerOf = (way: WayIn, tenant: string) => allPages<LedgerEntry>(way, `/v1/tenants/${tenant}/ledger`);
