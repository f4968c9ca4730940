import type { z } from 'zod';
import type { MailContent, MailLanguage } from './content.ts';

/** One kind of mail: what it needs to know, and what it says in each language. */
export type MailTemplate<Data extends z.ZodObject = z.ZodObject> = {
  readonly data: Data;
} & { readonly [Language in MailLanguage]: (data: z.output<Data>) => MailContent };

/** Defines a mail with the type of its data taken from the schema. */
export function mailTemplate<Data extends z.ZodObject>(
  data: Data,
  texts: { readonly [Language in MailLanguage]: (data: z.output<Data>) => MailContent },
): MailTemplate<Data> {
  return { data, ...texts };
}
