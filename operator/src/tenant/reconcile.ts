import type { TenantStatus } from '@cloudfreedom/crds/tenant.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import type { ReconcileResult } from '../runtime/controller.ts';
import type { Happening } from '../runtime/event-recorder.ts';
import type { Log } from '../runtime/log.ts';
import { decide } from './decide.ts';
import { type GatherDeps, gather } from './gather.ts';
import { type PerformDeps, perform } from './perform.ts';
import { failedStatus } from './status.ts';

/** What reconciling a Tenant needs. */
export interface TenantDeps extends GatherDeps, PerformDeps {
  /** Writes the status unless it is already so. */
  writeStatus(tenant: KubeObject, status: TenantStatus, signal: AbortSignal): Promise<void>;
  tell(tenant: KubeObject, happening: Happening): void;
  log: Log;
}

/** Gathers, decides, performs: brings one Tenant a step nearer to its wish, or finds that it is there. */
export async function reconcileTenant(deps: TenantDeps, name: string, signal: AbortSignal): Promise<ReconcileResult> {
  const input = await gather(deps, name, signal);
  if (!input) return {};
  const { tenant } = input;
  const { actions, status, requeueAfterMs, happenings } = decide(input);
  if (actions.length > 0) deps.log.info({ tenant: name, actions: actions.map(({ do: what }) => what) }, 'changing');
  const failure = await perform(deps, tenant, actions, signal);
  if (failure) {
    const failed = failedStatus(tenant, status ?? {}, failure.refusal, input.now);
    await deps.writeStatus(tenant, failed, signal);
    deps.tell(tenant, {
      type: 'Warning',
      action: 'Reconcile',
      reason: failure.refusal.reason,
      note: failure.refusal.message,
    });
    throw failure.error;
  }
  if (status) await deps.writeStatus(tenant, status, signal);
  for (const happening of happenings) deps.tell(tenant, happening);
  return requeueAfterMs === undefined ? {} : { requeueAfterMs };
}
