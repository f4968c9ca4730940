import { storable } from './canonical.ts';

/** A personal value of an entry; `subject` is the id of the person, user or invitation whose it is, where that is known. */
export type PersonalValue = { readonly value: string; readonly subject: string | null };

const REFERENCE = /^personal:(\d{1,4})$/;
/** What has a mail address in it. Wide on purpose: what is set apart by mistake still shows. */
const MAIL_ADDRESS = /[^\s@<>]@[^\s@<>]/;
/** What readers see in the place of what was erased. */
export const ERASED = '[erased]';

/** The personal values of one entry while it is made: each gets the next place and leaves a reference. */
export class PersonalValues {
  readonly values: PersonalValue[] = [];

  /** Sets a value apart. @returns what stands for it in the entry */
  put(value: string, subject: string | null): string {
    this.values.push({ value: storable(value), subject });
    return `personal:${this.values.length}`;
  }

  /** Sets apart every text of a document that has a mail address in it. */
  mailAddressesOf(document: unknown): unknown {
    if (typeof document === 'string') {
      // What looks like a reference of ours must not be taken for one.
      return MAIL_ADDRESS.test(document) || REFERENCE.test(document) ? this.put(document, null) : document;
    }
    if (Array.isArray(document)) return document.map((item) => this.mailAddressesOf(item));
    if (typeof document !== 'object' || document === null) return document;
    return Object.fromEntries(
      Object.entries(document).map(([key, value]) => [
        MAIL_ADDRESS.test(key) ? this.put(key, null) : key,
        this.mailAddressesOf(value),
      ]),
    );
  }
}

/** Puts the values back into a text or document of an entry; `values` by place, null: erased. */
export function resolve(document: unknown, values: ReadonlyMap<number, string | null>): unknown {
  if (typeof document === 'string') {
    const place = REFERENCE.exec(document)?.[1];
    return place === undefined ? document : (values.get(Number(place)) ?? ERASED);
  }
  if (Array.isArray(document)) return document.map((item) => resolve(item, values));
  if (typeof document !== 'object' || document === null) return document;
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [String(resolve(key, values)), resolve(value, values)]),
  );
}
