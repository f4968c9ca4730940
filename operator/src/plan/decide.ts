import { problemsText } from '@cloudfreedom/crds/parse.ts';
import { readPlan } from '@cloudfreedom/crds/plan.ts';
import type { Entry } from '../catalogue/reconcile.ts';
import { nanoEur } from '../control-plane-client/money.ts';
import type { PlanRegistration } from '../control-plane-client/shapes.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { refuse } from '../tenant/refusal.ts';

/** What the control plane must know of a Plan. Pure. */
export function decidePlan(object: KubeObject): Entry<PlanRegistration> {
  const parsed = readPlan(object);
  if (!parsed.ok) {
    return { registration: undefined, refusal: refuse('InvalidSpec', problemsText(parsed.problems)) };
  }
  const { displayName, pricePerMonthEur, monthlyBudgetEur, maxMembers, modelClasses, marginPercent, supportLevel } =
    parsed.value.spec;
  return {
    registration: {
      displayName,
      pricePerMonthNanoEur: amount(pricePerMonthEur),
      monthlyBudgetNanoEur: amount(monthlyBudgetEur),
      maxMembers: maxMembers ?? null,
      modelClasses: [...modelClasses],
      marginPercent,
      supportLevel,
    },
    refusal: undefined,
  };
}

function amount(euro: string | undefined): string | null {
  return euro === undefined ? null : nanoEur(euro).toString();
}
