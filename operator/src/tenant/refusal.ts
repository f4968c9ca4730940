import type { ConditionReason } from '@cloudfreedom/crds/conditions.ts';

/** Why a wish cannot be met, in one word for machines and one sentence for people that says what to change. */
export interface Refusal {
  reason: ConditionReason;
  message: string;
}

/** Makes a refusal; the sentence gets its capital and its full stop here. A field's path keeps its spelling. */
export function refuse(reason: ConditionReason, sentence: string): Refusal {
  const capital = /^\w+[.[]/.test(sentence) ? sentence : sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return { reason, message: /[.!?]$/.test(capital) ? capital : `${capital}.` };
}
