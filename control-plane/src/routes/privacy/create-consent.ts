import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { recordConsent } from '../../privacy/consents.ts';
import { currentTerms } from '../../privacy/terms.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { ConsentView, consentView } from './consent-view.ts';

export const createConsent = route({
  method: 'post',
  path: '/v1/account/consents',
  id: 'createConsent',
  summary: 'Accept the terms in force',
  tag: 'Privacy',
  access: 'person',
  body: z.strictObject({ version: z.string().max(40).meta({ description: 'The version that was shown' }) }),
  responses: {
    ...PERSON_RESPONSES,
    201: { description: 'Accepted; the first time counts', schema: ConsentView },
    409: { description: 'Another version is in force', schema: Problem },
    422: { description: 'The input is not valid', schema: Problem },
  },
  run: async ({ pool }, call) => {
    const { version } = await currentTerms();
    if (call.body.version !== version) {
      const detail = `the terms in force are those of ${version}; show them and ask again`;
      return { status: 409, body: problem(409, 'terms_outdated', detail) };
    }
    const { person } = callerOf(call);
    const consent = await recordConsent(pool, person.id, version, call.client.address);
    return {
      status: 201,
      body: consentView(consent),
      audit: { target: `person/${person.id}`, after: { terms: version } },
    };
  },
});
