import { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { firstRecoveryCodes } from '../../identity/second-factor/first-recovery-codes.ts';
import { confirmTotpEnrolment, TOTP_CODE } from '../../identity/second-factor/totp.ts';
import { tellOfSignInChange } from '../../identity/tell-person.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { SecondFactorAddedView } from './recovery-codes-view.ts';

export const confirmTotp = route({
  method: 'post',
  path: '/v1/account/second-factors/totp/confirmations',
  id: 'confirmTotp',
  summary: 'Confirm an authenticator app by a code of it; from now on sign-ins ask for one',
  tag: 'Second factors',
  access: 'person',
  body: z.strictObject({ code: z.string().regex(TOTP_CODE, 'must be the six digits that the app shows') }),
  responses: {
    ...PERSON_RESPONSES,
    200: { description: 'Set up', schema: SecondFactorAddedView },
    409: { description: 'Not the code of the app that is being set up', schema: Problem },
  },
  run: async (services, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const { person } = callerOf(call);
    return inTransaction(services.pool, async (client) => {
      const now = services.now();
      if (!(await confirmTotpEnrolment(client, services.vault, person.id, call.body.code, now))) {
        const detail = 'this is not the app’s code now, or the set-up took too long; look again, or begin anew';
        return { status: 409, body: problem(409, 'totp_code_wrong', detail) };
      }
      const recoveryCodes = await firstRecoveryCodes(client, services.vault, person.id);
      await tellOfSignInChange(client, services, person, 'totp_added');
      return { status: 200, body: { recoveryCodes }, audit: { target: `person/${person.id}` } };
    });
  },
});
