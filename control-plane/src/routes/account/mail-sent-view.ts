import { z } from 'zod';
import { Problem } from '../../http/problem.ts';

/** The answer of everything that may send a mail to an address somebody typed: always the same. */
export const MailSentView = z
  .object({ status: z.literal('mail_sent') })
  .meta({ id: 'MailSent', description: 'If there is anything to tell this address, a mail is on its way' });

/** What a route that sends such a mail may answer. */
export const MAIL_SENT_RESPONSES = {
  202: { description: 'A mail is on its way, if there is anything to tell this address', schema: MailSentView },
  403: { description: 'The call comes from another site', schema: Problem },
  422: { description: 'The input is not acceptable', schema: Problem },
  429: { description: 'Too many attempts', schema: Problem },
};
