import { z } from 'zod';

/** A token of a mail's link as it comes back in a request. What looks otherwise is none of ours, and not looked up. */
export const TokenField = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'is not one of our tokens; use the link of the mail as it is')
  .meta({ description: 'The token of the mail’s link' });
