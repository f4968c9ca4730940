import { createHash } from 'node:crypto';

/** What a provider can be asked to do wrong, so that a client can be seen to notice. */
export const FAULTS = ['none', 'foreign_nonce', 'foreign_key', 'foreign_audience', 'expired', 'unsigned'] as const;
export type Fault = (typeof FAULTS)[number];

/** Somebody's account at a provider: what its page was told. */
export type Account = {
  readonly subject: string;
  readonly email: string;
  readonly name: string;
  /** Whether the provider says that the address was verified. */
  readonly verified: boolean;
  readonly fault: Fault;
};

/** Reads the form of the page; undefined without an address. An account without a subject always gets the same one. */
export function accountOf(form: URLSearchParams): Account | undefined {
  const email = form.get('email')?.trim() ?? '';
  if (email === '') return undefined;
  return {
    email,
    subject: form.get('subject')?.trim() || subjectOf(email),
    name: form.get('name')?.trim() ?? '',
    verified: form.get('verified') !== null,
    fault: FAULTS.find((fault) => fault === form.get('fault')) ?? 'none',
  };
}

/** Digits, as GitHub's and GitLab's ids are numbers. */
function subjectOf(email: string): string {
  return String(createHash('sha256').update(email.toLowerCase()).digest().readUInt32BE(0));
}
