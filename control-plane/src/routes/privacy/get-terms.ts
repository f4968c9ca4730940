import { z } from 'zod';
import { route } from '../../http/route.ts';
import { currentTerms } from '../../privacy/terms.ts';

const TermsView = z
  .object({
    version: z.string().meta({ description: 'What a person accepts; goes into registrations and consents' }),
    isDraft: z.boolean().meta({ description: 'No lawyer has seen it: not for use in earnest' }),
    texts: z.object({ de: z.string(), en: z.string() }).meta({ description: 'Markdown' }),
  })
  .meta({ id: 'Terms' });

export const getTerms = route({
  method: 'get',
  path: '/v1/terms',
  id: 'getTerms',
  summary: 'The terms in force',
  tag: 'Privacy',
  access: 'public',
  responses: { 200: { description: 'The newest version', schema: TermsView } },
  run: async () => ({ status: 200, body: await currentTerms() }),
});
