import { type ControlPlane, ControlPlaneError } from '../control-plane-client/control-plane.ts';
import type { ModelRegistration, PlanRegistration, TenantRegistration } from '../control-plane-client/shapes.ts';

/** A control plane in memory, which counts writes and can be switched off or told to refuse. */
export class FakeControlPlane implements ControlPlane {
  readonly tenants = new Map<string, { state: 'open' | 'closed'; registration: TenantRegistration }>();
  readonly plans = new Map<string, PlanRegistration>();
  readonly models = new Map<string, ModelRegistration>();
  /** Models whose price it does not know. */
  readonly unpriced = new Set<string>();
  /** Every write, as `PUT tenants/acme`. */
  readonly writes: string[] = [];
  away = false;
  /** The sentence with which it refuses every write, if it does. */
  refusal: string | undefined;
  /** What every tenant has spent, in nano-euro. */
  posted = 0n;

  async tenant(name: string) {
    this.#answer();
    const known = this.tenants.get(name);
    if (!known) return undefined;
    const granted = BigInt(known.registration.monthlyBudgetNanoEur);
    const budget = {
      grantedNanoEur: granted.toString(),
      postedNanoEur: this.posted.toString(),
      heldNanoEur: '0',
      availableNanoEur: (granted - this.posted).toString(),
      resetsAt: '2026-04-01T00:00:00Z',
    };
    return { ...known, budget };
  }

  async putTenant(name: string, registration: TenantRegistration) {
    this.#write(`PUT tenants/${name}`);
    this.tenants.set(name, { state: 'open', registration });
  }

  async closeTenant(name: string, data: 'keep' | 'erase') {
    this.#write(`DELETE tenants/${name}?data=${data}`);
    const known = this.tenants.get(name);
    if (data === 'erase') this.tenants.delete(name);
    else if (known) this.tenants.set(name, { ...known, state: 'closed' });
  }

  async plan(name: string) {
    this.#answer();
    return this.plans.get(name);
  }

  async putPlan(name: string, registration: PlanRegistration) {
    this.#write(`PUT plans/${name}`);
    this.plans.set(name, registration);
  }

  async deletePlan(name: string) {
    this.#write(`DELETE plans/${name}`);
    this.plans.delete(name);
  }

  async planNames() {
    this.#answer();
    return [...this.plans.keys()];
  }

  async model(name: string) {
    this.#answer();
    return this.models.get(name);
  }

  async putModel(name: string, registration: ModelRegistration) {
    this.#write(`PUT models/${name}`);
    this.models.set(name, registration);
  }

  async modelIsPriced(name: string) {
    this.#answer();
    return !this.unpriced.has(name);
  }

  async deleteModel(name: string) {
    this.#write(`DELETE models/${name}`);
    this.models.delete(name);
  }

  async modelNames() {
    this.#answer();
    return [...this.models.keys()];
  }

  #answer(): void {
    if (this.away) throw new ControlPlaneError({ status: 0, message: 'the control plane does not answer' });
  }

  #write(what: string): void {
    this.#answer();
    if (this.refusal) throw new ControlPlaneError({ status: 422, message: this.refusal });
    this.writes.push(what);
  }
}
