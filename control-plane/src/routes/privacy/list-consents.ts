import { z } from 'zod';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { consentsOf } from '../../privacy/consents.ts';
import { currentTerms } from '../../privacy/terms.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { ConsentView, consentView } from './consent-view.ts';

const Consents = z.object({
  current: z.string().meta({ description: 'The version in force' }),
  accepted: z.boolean().meta({ description: 'It is among those that were accepted' }),
  items: z.array(ConsentView),
});

export const listConsents = route({
  method: 'get',
  path: '/v1/account/consents',
  id: 'listConsents',
  summary: 'Which versions of the terms one accepted, and when',
  tag: 'Privacy',
  access: 'person',
  responses: { ...PERSON_RESPONSES, 200: { description: 'The newest first', schema: Consents } },
  run: async ({ pool }, call) => {
    const { version: current } = await currentTerms();
    const consents = await consentsOf(pool, callerOf(call).person.id);
    const accepted = consents.some(({ version }) => version === current);
    return { status: 200, body: { current, accepted, items: consents.map(consentView) } };
  },
});
