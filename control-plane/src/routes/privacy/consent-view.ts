import { z } from 'zod';
import type { Consent } from '../../privacy/consents.ts';

export const ConsentView = z
  .object({ version: z.string(), acceptedAt: z.iso.datetime() })
  .meta({ id: 'Consent', description: 'A version of the terms that was accepted' });

export function consentView({ version, acceptedAt }: Consent): z.input<typeof ConsentView> {
  return { version, acceptedAt: acceptedAt.toISOString() };
}
