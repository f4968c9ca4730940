import type { TenantRegistration } from '../../catalogue/registrations.ts';
import { formatEuro } from '../../pricing/money.ts';

type Language = TenantRegistration['language'];

/** What a refusal must tell its reader. */
export type SpentFacts = {
  readonly tenant: string;
  readonly language: Language;
  readonly timeZone: string;
  readonly remainingNanoEur: bigint;
  readonly askedNanoEur: bigint;
  readonly resetsAt: Date;
  readonly topUpUrl: string;
};

/** One cent: what is less is not worth naming. */
const ONE_CENT_NANO_EUR = 10_000_000n;

/** The text a user reads in the chat when the month's budget is spent, or what is left cannot pay the request. */
export function spentText(facts: SpentFacts): string {
  const { tenant, language, topUpUrl } = facts;
  // The period's last instant lies in the month that is used up; its end is the day the next one begins.
  const month = monthOf(new Date(facts.resetsAt.getTime() - 1), language, facts.timeZone);
  const day = dayOf(facts.resetsAt, language, facts.timeZone);
  const some = facts.remainingNanoEur >= ONE_CENT_NANO_EUR;
  const left = formatEuro(facts.remainingNanoEur, language);
  const asked = formatEuro(facts.askedNanoEur + ONE_CENT_NANO_EUR - 1n, language);
  if (language === 'de') {
    const used = some
      ? `Das Budget von ${tenant} für ${month} ist bis auf ${left} aufgebraucht; diese Anfrage kann bis zu ${asked} kosten. Eine kürzere Anfrage oder ein günstigeres Modell passt vielleicht noch.`
      : `Das Budget von ${tenant} für ${month} ist aufgebraucht.`;
    return `${used} Am ${day} beginnt das nächste. Sofort weiter geht es mit einer Aufladung: ${topUpUrl}`;
  }
  const used = some
    ? `The budget of ${tenant} for ${month} is used up except for ${left}; this request may cost up to ${asked}. A shorter request or a cheaper model may still fit.`
    : `The budget of ${tenant} for ${month} is used up.`;
  return `${used} It resets on ${day}. To continue right away, top up here: ${topUpUrl}`;
}

/** The text when the rest of the budget is held by answers that are still being written. */
export function busyText(tenant: string, language: Language, retryAfterSeconds: number): string {
  const plural = retryAfterSeconds !== 1;
  return language === 'de'
    ? `Laufende Antworten halten gerade den Rest des Budgets von ${tenant}. Bitte in ${retryAfterSeconds} Sekunde${plural ? 'n' : ''} noch einmal versuchen.`
    : `Answers that are being written right now hold the rest of the budget of ${tenant}. Please try again in ${retryAfterSeconds} second${plural ? 's' : ''}.`;
}

const TEXTS = {
  suspended: {
    de: (tenant: string) => `${tenant} ist zurzeit gesperrt. Bitte an die Verwaltung wenden.`,
    en: (tenant: string) => `${tenant} is suspended at the moment. Please ask its administrator.`,
  },
  model_not_allowed: {
    de: (tenant: string, model: string) =>
      `Das Modell ${model} ist für ${tenant} nicht freigegeben. Bitte ein anderes wählen.`,
    en: (tenant: string, model: string) =>
      `The model ${model} is not enabled for ${tenant}. Please choose another one.`,
  },
  model_unknown: {
    de: (_tenant: string, model: string) => `Das Modell ${model} gibt es hier nicht. Bitte ein anderes wählen.`,
    en: (_tenant: string, model: string) => `There is no model ${model} here. Please choose another one.`,
  },
  unpriced: {
    de: (_tenant: string, model: string) =>
      `Für das Modell ${model} ist kein Preis hinterlegt, darum kann es nicht benutzt werden. Bitte ein anderes wählen.`,
    en: (_tenant: string, model: string) =>
      `The model ${model} has no price, so it cannot be used. Please choose another one.`,
  },
};

/** The texts of the refusals that have nothing to do with the balance. */
export function refusalText(reason: keyof typeof TEXTS, language: Language, tenant: string, model: string): string {
  return TEXTS[reason][language](tenant, model);
}

function monthOf(at: Date, language: Language, timeZone: string): string {
  return new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone }).format(at);
}

function dayOf(at: Date, language: Language, timeZone: string): string {
  const format = { day: 'numeric', month: 'long', year: 'numeric', timeZone } as const;
  return new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'de', format).format(at);
}
