import { randomUUID } from 'node:crypto';
import { until } from '../process/until.ts';
import { allPages, type Budget, budgetOf, type LedgerEntry } from '../steps/budget.ts';
import type { ControlPlane } from './control-plane-process.ts';

/** Milliseconds within which a finished request has reached the ledger when nothing is broken. */
const SETTLED_TIMEOUT_MS = 60_000;

/** One line of `GET /v1/tenants/{tenant}/usage`, as far as the tests look at it. */
export interface UsageLine {
  requestId: string;
  model: string;
  modelServed: string;
  user: { externalId?: string | null } | string | null;
  keyId: string | null;
  callType: string;
  outcome: string;
  inputTokens: number;
  cachedInputTokens: number;
  cacheWriteTokens: number;
  audioInputTokens: number;
  outputTokens: number;
  images: number;
  boundInputTokens: number;
  boundOutputTokens: number;
  /** What was asked for, where a shorter answer was granted. */
  clampedFromOutputTokens: number | null;
  holdNanoEur: string;
  totalNanoEur: string;
  overrunNanoEur: string;
  traceId: string | null;
}

/** How a request ended, by the ledger. */
export interface Ending {
  requestId: string;
  kind: 'post' | 'void' | 'expire';
  reason: string | undefined;
}

/** A tenant's account as the control plane tells it. */
export class Accounts {
  readonly #controlPlane: ControlPlane;
  readonly #tenant: string;

  constructor(controlPlane: ControlPlane, tenant: string) {
    this.#controlPlane = controlPlane;
    this.#tenant = tenant;
  }

  budget(): Promise<Budget> {
    return budgetOf(this.#controlPlane as never, this.#tenant);
  }

  ledger(): Promise<LedgerEntry[]> {
    return allPages(this.#controlPlane as never, `/v1/tenants/${this.#tenant}/ledger`);
  }

  usage(): Promise<UsageLine[]> {
    return allPages(this.#controlPlane as never, `/v1/tenants/${this.#tenant}/usage`);
  }

  /** Grants or takes until exactly `nanoEur` is available; nothing may be running. */
  async makeAvailable(nanoEur: bigint): Promise<void> {
    const { available } = await this.budget();
    if (available === nanoEur) return;
    const body = { source: 'correction', amountNanoEur: (nanoEur - available).toString(), note: 'for the next test' };
    const route = `/v1/tenants/${this.#tenant}/grants`;
    const answer = await this.#controlPlane.api('POST', route, body, { 'idempotency-key': randomUUID() });
    if (answer.status !== 201) throw new Error(`no correction: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** Marks the present end of the ledger: what `since` returns comes after it. */
  async mark(): Promise<number> {
    return Number((await this.ledger()).at(-1)?.sequence ?? 0);
  }

  async since(mark: number): Promise<LedgerEntry[]> {
    return (await this.ledger()).filter(({ sequence }) => Number(sequence) > mark);
  }

  /**
   * Waits until every hold since `mark` has ended and nothing is held, and returns the endings, one per hold. Throws
   * when a hold has more than one ending, or none in time.
   */
  async endings(mark: number, { atLeast = 1, timeoutMs = SETTLED_TIMEOUT_MS } = {}): Promise<Ending[]> {
    let seen = { holds: 0, open: [] as string[], held: 0n };
    const ended = async () => {
      const entries = await this.since(mark);
      const holds = entries.filter(({ kind }) => kind === 'hold');
      const endings = entries.flatMap(endingOf);
      const done = new Set(endings.map(({ requestId }) => requestId));
      if (done.size !== endings.length) throw new Error(`ended twice: ${JSON.stringify(endings)}`);
      const open = holds.flatMap(({ requestId = '' }) => (done.has(requestId) ? [] : requestId));
      seen = { holds: holds.length, open, held: (await this.budget()).held };
      return holds.length < atLeast || open.length > 0 || seen.held !== 0n ? undefined : endings;
    };
    try {
      return await until(`${atLeast} or more holds to end`, ended, { timeoutMs });
    } catch (cause) {
      const { holds, open, held } = seen;
      throw new Error(`of ${holds} holds ${open.length} have not ended (${open}), ${held} nano-euro are held`, {
        cause,
      });
    }
  }

  /** The usage line of the one request that was made since `mark`, after it has been posted. */
  async onlyPosting(mark: number): Promise<UsageLine> {
    const endings = await this.endings(mark);
    const [ending] = endings;
    if (endings.length !== 1 || ending?.kind !== 'post')
      throw new Error(`no single posting: ${JSON.stringify(endings)}`);
    const line = (await this.usage()).find(({ requestId }) => requestId === ending.requestId);
    if (line === undefined) throw new Error(`no usage line of ${ending.requestId}`);
    return line;
  }
}

function endingOf(entry: LedgerEntry): Ending[] {
  const { kind, requestId, reason } = entry;
  if (requestId === undefined || (kind !== 'post' && kind !== 'void' && kind !== 'expire')) return [];
  return [{ requestId, kind, reason }];
}
