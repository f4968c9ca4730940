import { z } from 'zod';
import { DnsLabel, PlanRegistration } from '../../catalogue/registrations.ts';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';

export const PlanParams = z.strictObject({ plan: DnsLabel });
export const PlanView = z.object({ plan: DnsLabel, ...PlanRegistration.shape }).meta({ id: 'Plan' });

export function planView(name: string, registration: unknown): z.input<typeof PlanView> {
  return { plan: name, ...PlanRegistration.parse(registration) };
}

export function noSuchPlan(name: string): Answer {
  return { status: 404, body: problem(404, 'plan_unknown', `there is no plan "${name}"`) };
}
