import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { enrolledSecondFactors } from '../../identity/second-factor/enrolled.ts';
import { issueRecoveryCodes } from '../../identity/second-factor/recovery-codes.ts';
import { tellOfSignInChange } from '../../identity/tell-person.ts';
import { lockWaysIn } from '../../identity/ways-in.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { RecoveryCodesView } from './recovery-codes-view.ts';

export const replaceRecoveryCodes = route({
  method: 'post',
  path: '/v1/account/second-factors/recovery-codes',
  id: 'replaceRecoveryCodes',
  summary: 'Make ten new recovery codes; the old ones are void',
  tag: 'Second factors',
  access: 'person',
  responses: {
    ...PERSON_RESPONSES,
    201: { description: 'Shown this once', schema: RecoveryCodesView },
    409: { description: 'There is no second factor that they could stand in for', schema: Problem },
  },
  run: async (services, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const { person } = callerOf(call);
    return inTransaction(services.pool, async (client) => {
      await lockWaysIn(client, person.id);
      if ((await enrolledSecondFactors(client, person.id)).length === 0) {
        return {
          status: 409,
          body: problem(409, 'no_second_factor', 'set up an authenticator app or a passkey first'),
        };
      }
      const recoveryCodes = await issueRecoveryCodes(client, services.vault, person.id);
      await tellOfSignInChange(client, services, person, 'recovery_codes_replaced');
      return { status: 201, body: { recoveryCodes }, audit: { target: `person/${person.id}` } };
    });
  },
});
