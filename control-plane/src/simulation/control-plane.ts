import { HOOK_LIMITS } from './gateway.ts';
import type { Answer, GatewayOperation, Replica } from './replica.ts';
import type { DatabaseFault, MessageFault } from './scenario.ts';
import type { Process, World } from './world.ts';

/** The gateway got no usable answer; whether its call was seen is unknown. */
export class Unavailable extends Error {}

/** aiohttp's word for a connection that broke: the hook then tries once more, at once. */
class ConnectionReset extends Error {}

const TRIES = 2;
const REPLY_MS = 2;

/** The network to the replicas: loses, doubles, delays and reorders calls and answers as the scenario says. */
export class ControlPlane {
  readonly #world: World;
  readonly #replicas: readonly Replica[];
  #awayUntilMs = 0;
  /** Calls and copies of calls that have not arrived yet. */
  underWay = 0;

  constructor(world: World, replicas: readonly Replica[]) {
    this.#world = world;
    this.#replicas = replicas;
  }

  away(forMs: number): void {
    this.#awayUntilMs = Math.max(this.#awayUntilMs, this.#world.nowMs + forMs);
  }

  replica(number: number): Replica {
    const replica = this.#replicas[number % this.#replicas.length];
    if (replica === undefined) throw new Error('a control plane has at least one replica');
    return replica;
  }

  /** The hook's ControlPlane.post. Rejects with Unavailable. */
  async post(from: Process, operation: GatewayOperation, next: () => MessageFault): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.#send(from, operation, next());
        if (answer.status >= 500) throw new Unavailable(`status ${answer.status}`);
        return answer;
      } catch (error) {
        if (!(error instanceof ConnectionReset)) throw error;
        if (attempt === TRIES) throw new Unavailable('reset twice');
      }
    }
  }

  #send(from: Process, operation: GatewayOperation, fault: MessageFault): Promise<Answer> {
    const world = this.#world;
    return from.wait((resolve, reject) => {
      let over = false;
      const end = (how: () => void) => {
        if (over) return;
        over = true;
        how();
      };
      const timeoutMs = HOOK_LIMITS.CONTROL_PLANE_TIMEOUT_SECONDS * 1000;
      world.after(timeoutMs, () => end(() => reject(new Unavailable('no answer in time'))));
      if (fault.kind === 'request_lost') return;
      this.#arriveAfter(fault.delayMs, async () => {
        if (fault.kind === 'reset_before') return end(() => reject(new ConnectionReset()));
        const answer = await this.#handle(from.name, operation, fault, fault.database);
        if (fault.kind === 'reset_after') return end(() => reject(new ConnectionReset()));
        if (fault.kind === 'reply_lost') return;
        world.after(REPLY_MS, () => end(() => resolve(answer)));
      });
      if (fault.kind !== 'duplicate') return;
      this.#arriveAfter(fault.delayMs + fault.duplicateAfterMs, async () => {
        await this.#handle(`copy of ${from.name}`, operation, fault, undefined);
      });
    });
  }

  #arriveAfter(delayMs: number, run: () => Promise<void>): void {
    this.underWay += 1;
    this.#world.after(delayMs, async () => {
      this.underWay -= 1;
      await run();
    });
  }

  #handle(
    from: string,
    operation: GatewayOperation,
    fault: MessageFault,
    database: DatabaseFault | undefined,
  ): Promise<Answer> {
    if (this.#awayUntilMs > this.#world.nowMs) return Promise.resolve({ status: 503, code: 'away' });
    return this.replica(fault.replica).handle(from, operation, database);
  }
}
