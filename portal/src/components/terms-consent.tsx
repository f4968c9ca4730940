import type { ComponentProps } from 'react';
import { useTranslation } from 'react-i18next';
import type { Terms } from '../api/types.ts';
import { useLanguage } from '../hooks/language.ts';
import { Markdown } from './markdown.tsx';
import { Checkbox } from './ui/checkbox.tsx';

type Props = {
  terms: Terms | undefined;
  fault: string | undefined;
  /** Registers the box with its form. Called while this is drawn, so that the form knows its fields in their order. */
  register: () => ComponentProps<'input'>;
};

/** The consent without which there is no account, and the text it is about. */
export function TermsConsent({ terms, fault, register }: Props) {
  const { t } = useTranslation();
  return (
    <div className="space-y-2">
      <Checkbox label={t('register.terms')} fault={fault} {...register()} />
      {terms === undefined ? <PlaceOfTerms /> : <TermsText terms={terms} />}
    </div>
  );
}

/** As high as the folded terms: what is below must not move away under a press when they arrive. */
function PlaceOfTerms() {
  const { t } = useTranslation();
  return (
    <p aria-hidden className="invisible ml-[1.875rem] text-sm">
      {t('register.termsRead')}
    </p>
  );
}

/** The terms, folded away until somebody wants to read them. */
export function TermsText({ terms }: { terms: Terms }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const label = t('register.termsRead');
  return (
    <details className="ml-[1.875rem] text-sm">
      <summary className="w-fit cursor-pointer rounded text-primary underline underline-offset-4">{label}</summary>
      {terms.isDraft ? <p className="mt-2 text-muted">{t('register.termsDraft')}</p> : null}
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
        tabIndex={0}
        aria-label={label}
        className="mt-2 max-h-64 overflow-y-auto rounded-lg bg-sunken p-4"
      >
        <Markdown text={terms.texts[language]} />
      </section>
    </details>
  );
}
