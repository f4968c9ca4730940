/**
 * What a mail says, before it is text or HTML: a subject, a greeting and blocks in their order. Templates write no
 * markup, so nothing a person typed (a name, a tenant's title) can become any.
 */
export type MailContent = {
  readonly subject: string;
  readonly blocks: readonly Block[];
};

export type Block =
  /** A paragraph. */
  | string
  /** A link of ours, shown as a button and, so that it can be checked, spelled out. */
  | { readonly link: string; readonly label: string }
  /** Names and values, one a line. */
  | { readonly facts: readonly (readonly [name: string, value: string])[] };

/** The part of a mail that its languages share. */
export type MailLanguage = 'de' | 'en';
