import { formatEuro } from '../pricing/money.ts';

export type AlertText = { readonly subject: string; readonly text: string };

export type AlertFacts = {
  readonly language: 'de' | 'en';
  readonly displayName: string;
  readonly scope: 'tenant' | 'user' | 'key';
  /** Name of the user or key; undefined for the tenant's own budget, or where none is known. */
  readonly subjectName: string | undefined;
  readonly period: string;
  readonly thresholdPercent: number;
  readonly spentNanoEur: bigint;
  readonly budgetNanoEur: bigint;
  readonly topUpUrl: string;
};

/** What an owner is told by mail when a threshold is reached. */
export function alertText(facts: AlertFacts): AlertText {
  return facts.language === 'de' ? german(facts) : english(facts);
}

function german(facts: AlertFacts): AlertText {
  const { displayName, thresholdPercent, topUpUrl } = facts;
  const whose = {
    tenant: 'Budgets',
    user: `Budgets von ${facts.subjectName ?? 'einem Mitglied'}`,
    key: `Budgets des Schlüssels ${facts.subjectName ?? ''}`.trimEnd(),
  }[facts.scope];
  const used =
    thresholdPercent === 100
      ? `Das ${whose.replace(/^Budgets/, 'Budget')} ist aufgebraucht`
      : `${thresholdPercent} % des ${whose} sind verbraucht`;
  const next = {
    tenant: `Ist es aufgebraucht, werden weitere Anfragen abgelehnt, bis ein neuer Monat beginnt oder aufgeladen wird:\n${topUpUrl}`,
    user: 'Ist es aufgebraucht, werden weitere Anfragen dieses Mitglieds abgelehnt, bis ein neuer Monat beginnt oder das Budget erhöht wird.',
    key: 'Ist es aufgebraucht, werden weitere Anfragen mit diesem Schlüssel abgelehnt, bis ein neuer Monat beginnt oder das Budget erhöht wird.',
  }[facts.scope];
  return {
    subject: oneLine(`${displayName}: ${used}`),
    text: `Guten Tag,

${used} (${month(facts)}).

  Ausgegeben: ${formatEuro(facts.spentNanoEur, 'de')}
  Budget:     ${formatEuro(facts.budgetNanoEur, 'de')}

${next}

Sie erhalten diese Nachricht einmal je Schwelle und Monat, weil Sie Eigentümer von ${displayName} sind.
`,
  };
}

function english(facts: AlertFacts): AlertText {
  const { displayName, thresholdPercent, topUpUrl } = facts;
  const whose = {
    tenant: 'the budget',
    user: `the budget of ${facts.subjectName ?? 'a member'}`,
    key: `the budget of the key ${facts.subjectName ?? ''}`.trimEnd(),
  }[facts.scope];
  const used =
    thresholdPercent === 100
      ? `${whose.replace(/^t/, 'T')} is spent`
      : `${thresholdPercent}% of ${whose} has been spent`;
  const next = {
    tenant: `Once it is spent, further requests are refused until a new month begins or it is topped up:\n${topUpUrl}`,
    user: 'Once it is spent, further requests of this member are refused until a new month begins or the budget is raised.',
    key: 'Once it is spent, further requests with this key are refused until a new month begins or the budget is raised.',
  }[facts.scope];
  return {
    subject: oneLine(`${displayName}: ${used}`),
    text: `Hello,

${used} (${month(facts)}).

  Spent:  ${formatEuro(facts.spentNanoEur, 'en')}
  Budget: ${formatEuro(facts.budgetNanoEur, 'en')}

${next}

You get this message once per threshold and month because you own ${displayName}.
`,
  };
}

function month({ period, language }: AlertFacts): string {
  const noon = new Date(`${period}-15T12:00:00Z`);
  return new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(noon);
}

/** A header has no line breaks, whatever a name holds. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
