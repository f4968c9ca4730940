import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { startTotpEnrolment } from '../../identity/second-factor/totp.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';

const TotpEnrolmentView = z
  .object({ otpauthUrl: z.string(), secret: z.string() })
  .meta({ id: 'TotpEnrolment', description: 'For the app; shown this once' });

export const startTotp = route({
  method: 'post',
  path: '/v1/account/second-factors/totp',
  id: 'startTotp',
  summary: 'Begin to set up an authenticator app; it counts once a code of it was confirmed',
  tag: 'Second factors',
  access: 'person',
  responses: {
    ...PERSON_RESPONSES,
    201: { description: 'Show the address as a QR code, then confirm', schema: TotpEnrolmentView },
    409: { description: 'An app is set up already', schema: Problem },
  },
  run: async ({ pool, vault }, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const { person } = callerOf(call);
    const enrolment = await startTotpEnrolment(pool, vault, person);
    if (enrolment !== undefined) return { status: 201, body: enrolment, audit: { target: `person/${person.id}` } };
    return { status: 409, body: problem(409, 'totp_enrolled', 'an app is set up already; remove it first') };
  },
});
