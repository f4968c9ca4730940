import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ADMIN_KEY, authoriseBody, OPERATOR_KEY, settleBody } from '../testing/api.ts';
import type { Random } from '../testing/random.ts';
import { modelRegistration, type TenantSecrets, tenantRegistration, tenantSecrets } from '../testing/registrations.ts';
import type { Acknowledged, Journal } from './journal.ts';

/** Gateways' calls under way at once. */
const CLIENTS = 16;
const CALL_TIMEOUT_MS = 10_000;
const RETRY_MS = 25;
/** A call that nobody answers for this long fails the test: recovery takes seconds. */
const GIVE_UP_MS = 120_000;
/** Three tenants that can pay, and one that is refused now and then. */
const BUDGETS_NANO_EUR = ['900000000000', '900000000000', '900000000000', '5000000'];
const TOP_UP_NANO_EUR = '1000000';
const TOP_UP_CHANCE = 0.03;
const VOID_CHANCE = 0.15;
const MAX_OUTPUT_TOKENS = 1000;

type Tenant = { readonly name: string; readonly secrets: TenantSecrets };

/** Where a call may be answered: the URLs of the replicas that listen now. */
export type Replicas = () => readonly string[];

/** Clients as gateways are: what was not acknowledged is sent again, the same, until it is. */
export class Load {
  readonly #replicas: Replicas;
  readonly #random: Random;
  readonly #tenants: Tenant[] = [];
  readonly journal: Journal;

  constructor(replicas: Replicas, random: Random, journal: Journal) {
    this.#replicas = replicas;
    this.#random = random;
    this.journal = journal;
  }

  async registerTenants(): Promise<void> {
    await this.#call('PUT', '/v1/models/small', OPERATOR_KEY, modelRegistration());
    for (const [index, monthlyBudgetNanoEur] of BUDGETS_NANO_EUR.entries()) {
      const tenant = { name: `kill-${index}`, secrets: tenantSecrets() };
      const registration = tenantRegistration(tenant.secrets, { monthlyBudgetNanoEur, models: ['small'] });
      await this.#call('PUT', `/v1/tenants/${tenant.name}`, OPERATOR_KEY, registration);
      this.#tenants.push(tenant);
    }
  }

  /** Calls until `signal` says so; every request that was begun is brought to its end. @returns how many there were */
  async run(signal: AbortSignal): Promise<number> {
    let requests = 0;
    const client = async () => {
      while (!signal.aborted) {
        await this.#request();
        requests += 1;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    return requests;
  }

  async #request(): Promise<void> {
    const { name, secrets } = this.#random.pick(this.#tenants);
    if (this.#random.chance(TOP_UP_CHANCE)) await this.#topUp(name);
    const id = randomUUID();
    const voids = this.#random.chance(VOID_CHANCE);
    const outputTokens = this.#random.integer(0, MAX_OUTPUT_TOKENS);
    const user = { externalId: `user-${this.#random.integer(1, 5)}` };
    const body = authoriseBody(secrets, id, { user });
    const request: Acknowledged = { tenant: name };
    this.journal.requests.set(id, request);
    const { status } = await this.#call('POST', '/v1/gateway/authorise', secrets.credential, body);
    if (status !== 200 && status !== 402 && status !== 429) throw new Error(`authorise was answered ${status}`);
    request.authorised = status === 200 ? 'granted' : 'refused';
    if (status !== 200) return;
    if (voids) {
      const reason = { requestId: id, reason: 'upstream_failure' };
      await this.#expect(200, 'POST', '/v1/gateway/void', secrets.credential, reason);
      request.voided = true;
      return;
    }
    const usage = { inputTokens: 50, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens, images: 0 };
    const settlement = settleBody(id, { usage: { ...usage, totalTokens: 50 + outputTokens } });
    const answer = await this.#expect(200, 'POST', '/v1/gateway/settle', secrets.credential, settlement);
    request.settledNanoEur = answer.totalNanoEur ?? '';
  }

  async #topUp(tenant: string): Promise<void> {
    const key = randomUUID();
    const body = { source: 'top_up', amountNanoEur: TOP_UP_NANO_EUR };
    await this.#call('POST', `/v1/tenants/${tenant}/grants`, ADMIN_KEY, body, { 'idempotency-key': key });
    this.journal.topUps.add(key);
  }

  async #expect(status: number, method: string, path: string, key: string, body: object) {
    const answer = await this.#call(method, path, key, body);
    if (answer.status !== status)
      throw new Error(`${path} was answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async #call(method: string, path: string, key: string, body: object, headers: Record<string, string> = {}) {
    const startedAt = performance.now();
    for (;;) {
      const replicas = this.#replicas();
      const url = replicas.length === 0 ? undefined : this.#random.pick(replicas);
      const answer = url === undefined ? undefined : await answerOf(url + path, method, key, body, headers);
      if (answer !== undefined && answer.status < 500) return answer;
      if (performance.now() - startedAt > GIVE_UP_MS) throw new Error(`nobody answered ${path} in ${GIVE_UP_MS} ms`);
      await sleep(RETRY_MS);
    }
  }
}

type ApiAnswer = { readonly status: number; readonly body: { readonly totalNanoEur?: string } };

/** Undefined when the connection broke, or the answer did. */
async function answerOf(
  url: string,
  method: string,
  key: string,
  body: object,
  headers: Record<string, string>,
): Promise<ApiAnswer | undefined> {
  try {
    const answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    return { status: answer.status, body: (await answer.json()) as ApiAnswer['body'] };
  } catch {
    return undefined;
  }
}
