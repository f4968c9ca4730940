import { z } from 'zod';
import { ModelName, ModelRegistration } from '../../catalogue/registrations.ts';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';

export const ModelParams = z.strictObject({ model: ModelName });
export const ModelView = z.object({ model: ModelName, ...ModelRegistration.shape }).meta({ id: 'Model' });

export function modelView(name: string, registration: unknown): z.input<typeof ModelView> {
  return { model: name, ...ModelRegistration.parse(registration) };
}

export function noSuchModel(name: string): Answer {
  return { status: 404, body: problem(404, 'model_unknown', `there is no model "${name}"`) };
}
