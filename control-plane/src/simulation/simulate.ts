import type pg from 'pg';
import { ControlPlane } from './control-plane.ts';
import { type Decision, Gateway, type GatewayFlaw, HOOK_LIMITS, label, Script } from './gateway.ts';
import { Judge } from './judge.ts';
import { LedgerModel } from './model.ts';
import { Observer, Violation } from './observer.ts';
import { SimulatedRedis } from './redis.ts';
import { Replica } from './replica.ts';
import type { Scenario, Step } from './scenario.ts';
import { SubBudgets } from './sub-budgets.ts';
import { openTenant, retireTenant, type SimulatedTenant } from './tenant.ts';
import { World } from './world.ts';

/** After the last trouble is over: a lease ends, three heartbeats pass, and what was rescued is delivered. */
const REST_MS = (HOOK_LIMITS.LEASE_SECONDS + 5 * HOOK_LIMITS.HEARTBEAT_SECONDS + 60) * 1000;
/** The longest way of one request when each of its calls fails: tries and waits of the relay. */
const REQUEST_TROUBLE_MS = 150_000;

export type Result = {
  readonly account: bigint;
  readonly trace: readonly string[];
  readonly operations: number;
  readonly outcomes: ReadonlySet<string>;
  /** What went against the rules; undefined when nothing did. */
  readonly violation: string | undefined;
};

/** Runs a scenario on a fresh tenant of this database. The trace depends on the scenario alone. */
export async function simulate(pool: pg.Pool, scenario: Scenario, flaw?: GatewayFlaw): Promise<Result> {
  const tenant = await openTenant(pool, scenario);
  const simulation = new Simulation(pool, scenario, tenant, flaw);
  try {
    await simulation.run();
    return { ...simulation.facts, violation: undefined };
  } catch (error) {
    // Whatever the real code throws is found too: a constraint that fired means that somebody relied on it.
    const violation = error instanceof Violation ? error.message : `it threw: ${error}`;
    return { ...simulation.facts, violation };
  } finally {
    await retireTenant(pool, tenant);
  }
}

class Simulation {
  readonly #pool: pg.Pool;
  readonly #scenario: Scenario;
  readonly #tenant: SimulatedTenant;
  readonly #world: World;
  readonly #model: LedgerModel;
  readonly #observer: Observer;
  readonly #judge: Judge;
  readonly #redis: SimulatedRedis;
  readonly #controlPlane: ControlPlane;
  readonly #script = new Script();
  readonly #decisions = new Map<string, Decision>();
  readonly #called = new Set<string>();
  readonly #deadLetters: string[] = [];
  readonly #flaw: GatewayFlaw | undefined;
  readonly #gateways: Gateway[] = [];
  #processes = 0;
  #performed = 0;
  #failure: unknown;

  constructor(pool: pg.Pool, scenario: Scenario, tenant: SimulatedTenant, flaw: GatewayFlaw | undefined) {
    this.#flaw = flaw;
    this.#pool = pool;
    this.#scenario = scenario;
    this.#tenant = tenant;
    const { timeZone, holdTtlMs, monthlyBudget } = scenario;
    const atMs = Date.parse(scenario.startsAt);
    this.#world = new World(atMs);
    const subs = new SubBudgets(scenario);
    this.#model = new LedgerModel({ timeZone, holdTtlMs, atMs, subs });
    this.#model.register(monthlyBudget, timeZone, atMs);
    this.#observer = new Observer(pool, tenant.record.account);
    const { revision } = tenant.record;
    const registered = { monthlyBudget, timeZone };
    const deps = { world: this.#world, model: this.#model, observer: this.#observer, registered, revision };
    this.#judge = new Judge(deps);
    const now = () => new Date(this.#world.wallMs);
    const replicas = Array.from(
      { length: scenario.replicas },
      () => new Replica({ pool, tenant, now, judge: this.#judge, model: this.#model, observer: this.#observer }),
    );
    this.#controlPlane = new ControlPlane(this.#world, replicas);
    this.#redis = new SimulatedRedis(this.#world);
    for (let pod = 0; pod < scenario.gateways; pod += 1) this.#startGateway(pod);
  }

  get facts(): Omit<Result, 'violation'> {
    const { account } = this.#tenant.record;
    const { operations, outcomes } = this.#judge;
    return { account, trace: this.#world.trace, operations, outcomes };
  }

  async run(): Promise<void> {
    await this.#observer.check(this.#model);
    this.#script.addLease(this.#scenario.lease?.messages ?? []);
    for (const step of this.#scenario.steps) {
      if (step.kind === 'request') this.#script.add(step);
      this.#world.after(step.atMs, () => {
        this.#performed += 1;
        return this.#perform(step);
      });
    }
    await this.#world.run(this.#troubleMs() + REST_MS, () => this.#isQuiet());
    if (this.#failure !== undefined) throw this.#failure;
    this.#checkDeliveries();
    this.#world.log('all is quiet: every hold that is left runs out');
    const live = [...this.#model.requests.values()].filter(({ state }) => state === 'held');
    const lastMs = Math.max(this.#observer.changedAtMs, ...live.map(({ expiresAtMs }) => expiresAtMs));
    this.#world.jump(Math.max(0, lastMs - this.#world.wallMs));
    await this.#controlPlane.replica(0).operate({ kind: 'sweep', atMs: 0, replica: 0 });
    await this.#checkEnds();
  }

  async #perform(step: Step): Promise<void> {
    switch (step.kind) {
      case 'request':
        if (!this.#gateway(step.gateway).process.alive) return this.#world.log(`${label(step.id)} finds no gateway`);
        void this.#gateway(step.gateway)
          .request(step)
          .catch((error: unknown) => {
            this.#failure ??= error;
          });
        return;
      case 'gateway_killed': {
        const killed = this.#gateway(step.gateway);
        this.#world.log(`${killed.process.name} is killed`);
        killed.process.kill();
        this.#world.after(step.downMs, () => this.#startGateway(step.gateway));
        return;
      }
      case 'gateway_cut_off':
        this.#world.log(`gateway-${step.gateway} cannot reach Redis for ${step.forMs} ms`);
        return this.#redis.cutOff(`gateway-${step.gateway}`, step.forMs);
      case 'redis_away':
        this.#world.log(`Redis is away for ${step.forMs} ms`);
        return this.#redis.away(step.forMs);
      case 'redis_flushed':
        this.#world.log('Redis is flushed');
        return this.#redis.flush();
      case 'control_plane_away':
        this.#world.log(`the control plane is away for ${step.forMs} ms`);
        return this.#controlPlane.away(step.forMs);
      case 'replica_restarted':
        this.#world.log(`replica ${step.replica} is restarted`);
        return this.#controlPlane.replica(step.replica).restart();
      case 'clock_jump':
        this.#world.log(`the clock jumps by ${step.byMs} ms`);
        return this.#world.jump(step.byMs);
      default:
        return this.#controlPlane.replica(step.replica).operate(step);
    }
  }

  #gateway(pod: number): Gateway {
    const gateway = this.#gateways[pod];
    if (gateway === undefined) throw new Error(`there is no gateway ${pod}`);
    return gateway;
  }

  #startGateway(pod: number): void {
    if (this.#gateways[pod]?.process.alive) return;
    this.#processes += 1;
    this.#gateways[pod] = new Gateway(
      {
        world: this.#world,
        redis: this.#redis,
        controlPlane: this.#controlPlane,
        script: this.#script,
        decisions: this.#decisions,
        called: this.#called,
        deadLetters: this.#deadLetters,
        flaw: this.#flaw,
      },
      `gateway-${pod}.${this.#processes}`,
    );
  }

  /** Everything has begun and ended, and only heartbeats are left. */
  #isQuiet(): boolean {
    if (this.#performed < this.#scenario.steps.length || this.#controlPlane.underWay > 0) return false;
    return (
      this.#redis.isEmpty(this.#leases()) && this.#gateways.every((gateway) => gateway.process.alive && gateway.isIdle)
    );
  }

  /** What living gateways hold in advance: that has no end while they live. */
  #leases(): ReadonlySet<string> {
    return new Set(this.#gateways.flatMap(({ process, reserve }) => (process.alive ? (reserve.leaseId ?? []) : [])));
  }

  /** When the last step, outage, stream and faulty call is over; leases go by a clock that may have been put back. */
  #troubleMs(): number {
    let [last, back] = [0, 0];
    for (const step of this.#scenario.steps) {
      if (step.kind === 'request') last = Math.max(last, step.atMs + step.streamMs + REQUEST_TROUBLE_MS);
      else last = Math.max(last, step.atMs + ('forMs' in step ? step.forMs : 'downMs' in step ? step.downMs : 0));
      if (step.kind === 'clock_jump') back += Math.max(0, -step.byMs);
    }
    return last + back;
  }

  /** Nothing is under way, nothing leaked, and what was decided is what was billed. */
  #checkDeliveries(): void {
    const leases = this.#leases();
    for (const gateway of this.#gateways) {
      for (const request of gateway.pending.keys()) throw new Violation(`${label(request)} was never acknowledged`);
    }
    for (const outbox of this.#redis.outboxes.values()) {
      for (const request of outbox.keys())
        if (!leases.has(request)) throw new Violation(`${label(request)} lies in the outbox for ever`);
    }
    const calls = this.#scenario.steps.flatMap((step) => (step.kind === 'stray' ? step.calls : []));
    const strays = new Set(calls.map(({ request }) => request));
    for (const request of this.#deadLetters) {
      if (!strays.has(request)) throw new Violation(`the result of ${label(request)} was refused for good`);
    }
    for (const [id, { by, message, stored }] of this.#decisions) {
      const safe = by.alive || (stored && !this.#redis.flushed.has(id));
      const request = this.#model.requests.get(id);
      if (!safe || strays.has(id)) continue;
      if (message.path === 'settle' && request?.posting?.used !== message.used) {
        throw new Violation(`${label(id)} was to be billed ${message.used}, but was ${JSON.stringify(request)}`);
      }
      if (message.path === 'void' && request?.state === 'posted')
        throw new Violation(`${label(id)} was voided and billed`);
    }
    for (const [id, { state }] of this.#model.requests) {
      // A gateway killed before its intent was stored leaves a hold to its expiry: nothing else can know of it.
      const known = this.#called.has(id) || this.#redis.stored.has(id);
      if (state !== 'held' || !known || this.#redis.flushed.has(id) || strays.has(id) || leases.has(id)) continue;
      throw new Violation(`${label(id)} is still held, and nobody will ever end it`);
    }
  }

  /** Every request has exactly one end, as stored. */
  async #checkEnds(): Promise<void> {
    const { account } = this.#tenant.record;
    const { rows } = await this.#pool.query<{ request_id: string; state: string }>({
      name: 'simulation_ends',
      text: 'select request_id, state from hold where account_id = $1 order by request_id',
      values: [account],
    });
    const stored = rows.map(({ request_id, state }) => `${label(request_id)} ${state}`).join(', ');
    const expected = [...this.#model.requests]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { state }]) => `${label(id)} ${state}`)
      .join(', ');
    if (stored !== expected) throw new Violation(`invariant 3: stored are ${stored}; should be ${expected}`);
    if (expected.includes('held')) throw new Violation(`invariant 3: a request has no end: ${expected}`);
  }
}
