import type { Budget, ModelRegistration, PlanRegistration, TenantRegistration } from './shapes.ts';

/** What becomes of a closed tenant's people and keys; the ledger is always kept. */
export type DataFate = 'keep' | 'erase';

/** A tenant as the control plane has it. */
export interface KnownTenant {
  /** Closed: its Tenant was deleted and it pays for nothing; registering it again opens it. */
  state: 'open' | 'closed';
  registration: TenantRegistration;
  budget: Budget;
}

/**
 * The control plane as the operator needs it. Reads return `undefined` for what it does not know; every refusal and
 * every failure to get an answer throws a `ControlPlaneError`.
 */
export interface ControlPlane {
  tenant(name: string): Promise<KnownTenant | undefined>;
  putTenant(name: string, registration: TenantRegistration): Promise<void>;
  /** Closing what is unknown or closed already is no error. */
  closeTenant(name: string, data: DataFate): Promise<void>;
  plan(name: string): Promise<PlanRegistration | undefined>;
  putPlan(name: string, registration: PlanRegistration): Promise<void>;
  deletePlan(name: string): Promise<void>;
  /** Names of all it has. */
  planNames(): Promise<string[]>;
  model(name: string): Promise<ModelRegistration | undefined>;
  putModel(name: string, registration: ModelRegistration): Promise<void>;
  /** False: it knows no price of the registered model and refuses its requests. */
  modelIsPriced(name: string): Promise<boolean>;
  deleteModel(name: string): Promise<void>;
  modelNames(): Promise<string[]>;
}

/** The control plane refused, or gave no answer (`status` 0). */
export class ControlPlaneError extends Error {
  override name = 'ControlPlaneError';
  readonly status: number;

  constructor(facts: { status: number; message: string; cause?: unknown }) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
  }
}

/** True when it did not answer, or answered that it cannot now: asking again later may help. */
export function isUnreachable({ status }: ControlPlaneError): boolean {
  return status === 0 || status === 429 || status >= 500;
}
