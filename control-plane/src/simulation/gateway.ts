import { type ControlPlane, Unavailable } from './control-plane.ts';
import { type Message, RedisError, type SimulatedRedis } from './redis.ts';
import type { Answer } from './replica.ts';
import { derivedId, type LeasedCall, RESERVE_LIMITS, Reserve } from './reserve.ts';
import type { MessageFault, RequestStep } from './scenario.ts';
import { Process, type World } from './world.ts';

/** The limits of operator/gateway/cloudfreedom_hook.py under its own names; a test compares them. */
export const HOOK_LIMITS = {
  CONTROL_PLANE_TIMEOUT_SECONDS: 10,
  UNREPORTED_GRACE_SECONDS: 3,
  DELIVERY_FIRST_WAIT_SECONDS: 0.2,
  DELIVERY_LONGEST_WAIT_SECONDS: 15,
  LEASE_SECONDS: 30,
  HEARTBEAT_SECONDS: 5,
  BEATS_BEFORE_RESCUE: 3,
  ...RESERVE_LIMITS,
} as const;
/** The hook waits a random part of its backoff, from a half to the whole. */
const BACKOFF_PART = 0.75;
const NO_FAULT: MessageFault = { kind: 'none', delayMs: 5, duplicateAfterMs: 0, replica: 0 };

/** What befalls the messages of each request, used up in their order, whoever sends them. */
export class Script {
  readonly #messages = new Map<string, MessageFault[]>();
  readonly #redis = new Map<string, ('none' | 'lost' | 'reply_lost')[]>();
  readonly #leases: MessageFault[] = [];

  add(step: RequestStep): void {
    this.#messages.set(step.id, [...step.messages]);
    this.#redis.set(step.id, [...step.redis]);
  }

  /** The same call under another id shares its faults. */
  rename(request: string, to: string): void {
    this.#messages.set(to, this.#messages.get(request) ?? []);
    this.#redis.set(to, this.#redis.get(request) ?? []);
  }

  addLease(messages: readonly MessageFault[]): void {
    this.#leases.push(...messages);
  }

  nextOfLease(): MessageFault {
    return this.#leases.shift() ?? NO_FAULT;
  }

  nextMessage(request: string): MessageFault {
    return this.#messages.get(request)?.shift() ?? NO_FAULT;
  }

  nextRedis(request: string): 'none' | 'lost' | 'reply_lost' {
    return this.#redis.get(request)?.shift() ?? 'none';
  }
}

/** What a gateway decided of a request; the checks at the end hold the ledger to it. */
export type Decision = { readonly by: Process; readonly message: Message; stored: boolean };

/** Ways in which a gateway may break the protocol; for the planted bugs. */
export type GatewayFlaw = 'no_intent' | 'errors_acknowledge' | 'forgets_early' | 'no_rescue' | 'overspends_lease';

export type GatewayDeps = {
  readonly world: World;
  readonly redis: SimulatedRedis;
  readonly controlPlane: ControlPlane;
  readonly script: Script;
  readonly decisions: Map<string, Decision>;
  /** Requests whose call was made: both the hold and the intent were safe. */
  readonly called: Set<string>;
  /** Results that the control plane refused for good. */
  readonly deadLetters: string[];
  readonly flaw?: GatewayFlaw | undefined;
};

/** A call under way. Its id changes when it is asked for anew. */
type Call = { id: string; readonly step: RequestStep; leased?: LeasedCall };

/** A delivery without a message only withdraws its intent. */
type Delivery = { readonly request: string; readonly message: Message | undefined; stored: boolean };

/**
 * The protocol of the hook, line by line, without what concerns LiteLLM: intent beside authorise, a result in the
 * intent's place, a relay that delivers until it is acknowledged, leases and rescue. One object is one process.
 */
export class Gateway {
  readonly process: Process;
  readonly #deps: GatewayDeps;
  readonly #calls = new Map<string, Call>();
  readonly pending = new Map<string, Message | undefined>();
  readonly reserve: Reserve;

  constructor(deps: GatewayDeps, name: string) {
    this.#deps = deps;
    this.process = new Process(deps.world, name);
    this.reserve = new Reserve({
      world: deps.world,
      process: this.process,
      post: (operation) => deps.controlPlane.post(this.process, operation, () => deps.script.nextOfLease()),
      intend: (id) => this.#store(id, { path: 'void', reason: 'gateway_lost' }),
      wantRoom: () => this.#succeeds(deps.redis.wantRoom(this.process, HOOK_LIMITS.ROOM_SECONDS * 1000)),
      roomWanted: async () => {
        const answer = deps.redis.roomWanted(this.process);
        return (await this.#succeeds(answer)) && answer;
      },
      deliver: (request, message) => this.#deliver({ request, message, stored: false }),
      awaits: (lease) => this.#awaits(lease),
      overspends: deps.flaw === 'overspends_lease',
    });
    void this.#live();
  }

  get isIdle(): boolean {
    return this.#calls.size === 0 && this.pending.size === 0 && this.reserve.isIdle;
  }

  /** async_pre_call_hook, the provider's answer, and the report of its end. */
  async request(step: RequestStep): Promise<void> {
    const call: Call = { id: step.id, step };
    this.#calls.set(call.id, call);
    const asked = this.#authorise(call);
    if (step.ending === 'client_gone') {
      await Promise.race([asked, this.process.sleep(step.streamMs)]);
      if (this.#calls.has(call.id)) this.#void(call, 'client_gone');
      return;
    }
    if (!(await asked)) return;
    await this.process.sleep(step.streamMs);
    if (step.ending === 'upstream_failure') return this.#void(call, 'upstream_failure');
    if (step.ending === 'unreported') await this.process.sleep(HOOK_LIMITS.UNREPORTED_GRACE_SECONDS * 1000);
    const lease = call.leased === undefined ? {} : { lease: { id: call.leased.lease.id, asked: step.asked } };
    this.#close(call, { path: 'settle', used: step.used, ...lease });
  }

  /** @returns whether the call may be made; if not, its intent is withdrawn or a void is on its way */
  async #authorise(call: Call): Promise<boolean> {
    const { asked } = call.step;
    const sinceMs = this.#deps.world.nowMs;
    let [intent, answer] = await this.#ask(call);
    if (answer?.status === 429 && (await this.reserve.giveBack(sinceMs)) && this.#rename(call, undefined)) {
      [intent, answer] = await this.#ask(call);
    }
    if (answer === undefined && intent && this.#calls.has(call.id)) {
      const leased = this.reserve.lend(asked);
      if (leased !== undefined) {
        this.#rename(call, { path: 'void', reason: 'authorise_unknown' });
        call.leased = leased;
        intent = await this.#intend(call);
        if (intent) this.#deps.called.add(call.id);
        else this.#void(call, 'authorise_unknown');
        return intent;
      }
    }
    if (answer !== undefined && answer.status !== 200) {
      this.#close(call, undefined);
      return false;
    }
    if (answer !== undefined) this.reserve.authorised(asked, answer.leasable === true);
    if (answer !== undefined && intent) {
      this.#deps.called.add(call.id);
      return true;
    }
    this.#void(call, 'authorise_unknown');
    return false;
  }

  /** @returns whether the intent is safe, and the answer, where there was one */
  async #ask(call: Call): Promise<[boolean, Answer | undefined]> {
    const [intent, answer] = await Promise.allSettled([
      this.#intend(call),
      this.#post({ kind: 'authorise', request: call.id, asked: call.step.asked }),
    ]);
    if (intent.status === 'rejected') throw intent.reason;
    return [intent.value, answer.status === 'fulfilled' ? answer.value : undefined];
  }

  async #intend(call: Call): Promise<boolean> {
    const { redis, script, flaw } = this.#deps;
    if (flaw === 'no_intent') return true;
    const lost: Message = { path: 'void', reason: 'gateway_lost' };
    return this.#succeeds(redis.store(this.process, call.id, lost, script.nextRedis(call.id)));
  }

  /** The same call under a new id. @returns false when it has ended meanwhile */
  #rename(call: Call, message: Message | undefined): boolean {
    const { script } = this.#deps;
    const [old, id] = [call.id, derivedId(`after ${call.id}`)];
    if (!this.#close(call, message)) return false;
    script.rename(old, id);
    call.id = id;
    this.#calls.set(id, call);
    this.#deps.world.log(`${this.process.name} ${label(old)} is ${label(id)} from now on`);
    return true;
  }

  #void(call: Call, reason: string): void {
    this.#close(call, call.leased === undefined ? { path: 'void', reason } : undefined);
  }

  /** The only way out for a call: whoever takes it first decides its end. */
  #close(call: Call, message: Message | undefined): boolean {
    const { id } = call;
    if (!this.#calls.delete(id)) return false;
    this.#deps.world.log(`${this.process.name} ${label(id)} ends: ${describe(message)}`);
    if (message !== undefined) this.#deps.decisions.set(id, { by: this.process, message, stored: false });
    this.#deliver({ request: id, message, stored: false });
    if (call.leased !== undefined) this.reserve.ended(call.leased, message);
    return true;
  }

  #awaits(lease: string): boolean {
    return [...this.pending.values()].some((message) => message?.path === 'settle' && message.lease?.id === lease);
  }

  #deliver(delivery: Delivery): void {
    this.pending.set(delivery.request, delivery.message);
    void this.#relay(delivery);
  }

  async #relay(delivery: Delivery): Promise<void> {
    const { DELIVERY_FIRST_WAIT_SECONDS: first, DELIVERY_LONGEST_WAIT_SECONDS: longest } = HOOK_LIMITS;
    let acknowledged = delivery.message === undefined;
    for (let attempt = 0; ; attempt += 1) {
      if (!acknowledged && delivery.message !== undefined) {
        delivery.stored ||= await this.#store(delivery.request, delivery.message);
        if (this.#deps.flaw === 'forgets_early')
          await this.#succeeds(this.#deps.redis.remove(this.process, delivery.request));
        // a lease ends after its calls
        const early = delivery.message.path === 'void' && this.#awaits(delivery.request);
        acknowledged = !early && (await this.#send(delivery.request, delivery.message));
      }
      if (acknowledged && (await this.#succeeds(this.#deps.redis.remove(this.process, delivery.request)))) {
        this.pending.delete(delivery.request);
        return;
      }
      await this.process.sleep(Math.min(longest, first * 2 ** Math.min(attempt, 10)) * 1000 * BACKOFF_PART);
    }
  }

  async #store(request: string, message: Message): Promise<boolean> {
    const { redis, script, decisions } = this.#deps;
    const stored = await this.#succeeds(redis.store(this.process, request, message, script.nextRedis(request)));
    const decision = decisions.get(request);
    if (stored && decision?.message === message) decision.stored = true;
    return stored;
  }

  async #send(request: string, message: Message): Promise<boolean> {
    const operation =
      message.path === 'settle'
        ? ({ kind: 'settle', request, used: message.used, lease: message.lease } as const)
        : ({ kind: 'void', request, reason: message.reason } as const);
    try {
      const { status, code } = await this.#post(operation);
      if (status < 300 || code === 'already_posted') return true;
      this.#deps.deadLetters.push(request);
      return true;
    } catch (error) {
      if (error instanceof Unavailable) return this.#deps.flaw === 'errors_acknowledge';
      throw error;
    }
  }

  async #succeeds(work: Promise<unknown>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      if (error instanceof RedisError) return false;
      throw error;
    }
  }

  #post(operation: Parameters<ControlPlane['post']>[1]) {
    const next = () => this.#deps.script.nextMessage(operation.request);
    return this.#deps.controlPlane.post(this.process, operation, next);
  }

  /** Renews the lease, and rescues what gateways without one left. */
  async #live(): Promise<void> {
    for (let beats = 0; ; ) {
      try {
        const names = await this.#deps.redis.renewLease(this.process, HOOK_LIMITS.LEASE_SECONDS * 1000);
        if (beats >= HOOK_LIMITS.BEATS_BEFORE_RESCUE && this.#deps.flaw !== 'no_rescue') {
          for (const name of names) if (name !== this.process.name) await this.#rescue(name);
        }
        beats += 1;
      } catch (error) {
        if (!(error instanceof RedisError)) throw error;
        beats = 0;
      }
      await this.process.sleep(HOOK_LIMITS.HEARTBEAT_SECONDS * 1000);
    }
  }

  async #rescue(name: string): Promise<void> {
    for (const [request, message] of await this.#deps.redis.takeOver(this.process, name)) {
      this.#deps.world.log(`${this.process.name} takes ${label(request)} over from ${name}: ${describe(message)}`);
      this.#deliver({ request, message, stored: true });
    }
  }
}

/** The first characters of a request id, enough for a reader. */
export function label(request: string): string {
  return request.slice(0, 6);
}

function describe(message: Message | undefined): string {
  if (message === undefined) return 'nothing to tell';
  return message.path === 'settle' ? `settle ${message.used}` : `void ${message.reason}`;
}
