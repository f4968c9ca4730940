import type { Budget, ModelRegistration, PlanRegistration, TenantRegistration } from './shapes.ts';

/** What becomes of a closed tenant's people and keys; the ledger is always kept. */
export type DataFate = 'keep' | 'erase';

/** A tenant as the control plane has it. */
export interface KnownTenant {
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
  model(name: string): Promise<ModelRegistration | undefined>;
  putModel(name: string, registration: ModelRegistration): Promise<void>;
  deleteModel(name: string): Promise<void>;
}

/** The control plane refused, or gave no answer (`status` 0). */
export class ControlPlaneError extends Error {
  override name = 'ControlPlaneError';
  readonly status: number;
  /** Milliseconds it asked us to stay away. The queue reads it. */
  readonly retryAfterMs: number | undefined;

  constructor(facts: { status: number; message: string; retryAfterMs?: number | undefined; cause?: unknown }) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** True when it did not answer, or answered that it cannot now: asking again later may help. */
export function isUnreachable(error: unknown): error is ControlPlaneError {
  return error instanceof ControlPlaneError && (error.status === 0 || error.status === 429 || error.status >= 500);
}
