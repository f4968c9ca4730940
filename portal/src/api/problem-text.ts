import type { TFunction } from 'i18next';
import { ApiProblem } from './client.ts';

/**
 * What went wrong as a sentence in the reader's language that says what to do next. The API's codes are stable, so they
 * are what is translated; a code without a sentence of ours shows the API's own English one.
 */
export function problemText(t: TFunction, error: unknown): string {
  if (!(error instanceof ApiProblem)) return t('problem.serverAway');
  const { code, detail, errors, retryAfterSeconds, status } = error.problem;
  const values = { seconds: retryAfterSeconds ?? 0, minutes: Math.max(1, Math.ceil((retryAfterSeconds ?? 0) / 60)) };
  if (status === 429 && retryAfterSeconds !== undefined) {
    return t(retryAfterSeconds < 90 ? 'problem.waitSeconds' : 'problem.waitMinutes', values);
  }
  if (code === 'invalid_input') {
    const field = errors?.[0]?.path.split('.').at(-1) ?? '';
    return t(`problem.input.${field}` as 'problem.input.name', { defaultValue: t('problem.invalid_input') });
  }
  return t(`problem.${code}` as 'problem.internal', { ...values, defaultValue: detail });
}
