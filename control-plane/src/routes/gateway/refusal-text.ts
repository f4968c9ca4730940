import type { TenantRegistration } from '../../catalogue/registrations.ts';
import { formatEuro } from '../../pricing/money.ts';

export type Language = TenantRegistration['language'];

/** Whose budget refused: the whole tenant's, one user's part of it, or one API key's. */
export type Scope = 'tenant' | 'user' | 'key';

/** What a refusal must tell its reader. */
export type SpentFacts = {
  readonly scope: Scope;
  readonly tenant: string;
  readonly language: Language;
  readonly timeZone: string;
  readonly remainingNanoEur: bigint;
  /** What the least useful answer to this request may cost. */
  readonly askedNanoEur: bigint;
  readonly resetsAt: Date;
  readonly topUpUrl: string;
};

/** One cent: what is less is not worth naming. */
const ONE_CENT_NANO_EUR = 10_000_000n;

/**
 * The text a user reads in the chat when the month's budget is spent, or what is left cannot pay the request. Only the
 * tenant's own budget grows by a top-up; the limit of a user or key is the administrator's to raise.
 */
export function spentText(facts: SpentFacts): string {
  const { scope, tenant, language, timeZone, topUpUrl } = facts;
  // The period's last instant lies in the month that is used up; its end is the day the next one begins.
  const month = monthOf(new Date(facts.resetsAt.getTime() - 1), language, timeZone);
  const day = dayOf(facts.resetsAt, language, timeZone);
  const some = facts.remainingNanoEur >= ONE_CENT_NANO_EUR;
  const left = formatEuro(facts.remainingNanoEur, language);
  const asked = formatEuro(facts.askedNanoEur + ONE_CENT_NANO_EUR - 1n, language);
  const budget = BUDGETS[language][scope](tenant);
  const sentences = {
    de: [
      some
        ? `${budget} für ${month} ist bis auf ${left} aufgebraucht; schon eine kurze Antwort auf diese Anfrage kann ${asked} kosten. Eine kürzere Anfrage oder ein günstigeres Modell passt vielleicht noch.`
        : `${budget} für ${month} ist aufgebraucht.`,
      `Am ${day} beginnt das nächste.`,
      scope === 'tenant'
        ? `Sofort weiter geht es mit einer Aufladung: ${topUpUrl}`
        : `Früher erhöhen kann es die Verwaltung von ${tenant}.`,
    ],
    en: [
      some
        ? `${budget} for ${month} is used up except for ${left}; even a short answer to this request may cost ${asked}. A shorter request or a cheaper model may still fit.`
        : `${budget} for ${month} is used up.`,
      `It resets on ${day}.`,
      scope === 'tenant'
        ? `To continue right away, top up here: ${topUpUrl}`
        : `The administrator of ${tenant} can raise it before that.`,
    ],
  };
  return sentences[language].join(' ');
}

/** The text when the rest of the budget is held by answers that are still being written. */
export function busyText(scope: Scope, tenant: string, language: Language, retryAfterSeconds: number): string {
  const plural = retryAfterSeconds !== 1;
  return language === 'de'
    ? `Laufende Antworten halten gerade den Rest ${BUSY_BUDGETS.de[scope](tenant)}. Bitte in ${retryAfterSeconds} Sekunde${plural ? 'n' : ''} noch einmal versuchen.`
    : `Answers that are being written right now hold the rest of ${BUSY_BUDGETS.en[scope](tenant)}. Please try again in ${retryAfterSeconds} second${plural ? 's' : ''}.`;
}

type NamesOfBudgets = Record<Language, Record<Scope, (tenant: string) => string>>;

/** At the beginning of a sentence. */
const BUDGETS: NamesOfBudgets = {
  de: {
    tenant: (tenant) => `Das Budget von ${tenant}`,
    user: (tenant) => `Ihr persönliches Budget bei ${tenant}`,
    key: (tenant) => `Das Budget dieses API-Schlüssels bei ${tenant}`,
  },
  en: {
    tenant: (tenant) => `The budget of ${tenant}`,
    user: (tenant) => `Your personal budget at ${tenant}`,
    key: (tenant) => `The budget of this API key at ${tenant}`,
  },
};

/** After “the rest of”. */
const BUSY_BUDGETS: NamesOfBudgets = {
  de: {
    tenant: (tenant) => `des Budgets von ${tenant}`,
    user: (tenant) => `Ihres persönlichen Budgets bei ${tenant}`,
    key: (tenant) => `des Budgets dieses API-Schlüssels bei ${tenant}`,
  },
  en: {
    tenant: (tenant) => `the budget of ${tenant}`,
    user: (tenant) => `your personal budget at ${tenant}`,
    key: (tenant) => `the budget of this API key at ${tenant}`,
  },
};

const TEXTS = {
  suspended: {
    de: (tenant: string) => `${tenant} ist zurzeit gesperrt. Bitte an die Verwaltung wenden.`,
    en: (tenant: string) => `${tenant} is suspended at the moment. Please ask its administrator.`,
  },
  seats_taken: {
    de: (tenant: string) => `Alle Plätze von ${tenant} sind vergeben. Bitte an die Verwaltung wenden.`,
    en: (tenant: string) => `All seats of ${tenant} are taken. Please ask its administrator.`,
  },
  member_removed: {
    de: (tenant: string) => `Sie gehören nicht mehr zu ${tenant}. Bitte an die Verwaltung wenden.`,
    en: (tenant: string) => `You no longer belong to ${tenant}. Please ask its administrator.`,
  },
  model_not_allowed: {
    de: (tenant: string, model: string) =>
      `Das Modell ${model} ist für ${tenant} nicht freigegeben. Bitte ein anderes wählen.`,
    en: (tenant: string, model: string) =>
      `The model ${model} is not enabled for ${tenant}. Please choose another one.`,
  },
  model_not_for_this: {
    de: (_tenant: string, model: string) =>
      `Das Modell ${model} ist für eine andere Art von Anfrage da. Bitte ein passendes wählen.`,
    en: (_tenant: string, model: string) =>
      `The model ${model} is for another kind of request. Please choose one that fits.`,
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
