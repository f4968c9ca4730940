import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { dropNeedlessRecoveryCodes } from '../../identity/second-factor/first-recovery-codes.ts';
import { removeTotp } from '../../identity/second-factor/totp.ts';
import { tellOfSignInChange } from '../../identity/tell-person.ts';
import { lockWaysIn } from '../../identity/ways-in.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';

export const removeTotpOfPerson = route({
  method: 'delete',
  path: '/v1/account/second-factors/totp',
  id: 'removeTotp',
  summary: 'Stop using the authenticator app',
  tag: 'Second factors',
  access: 'person',
  responses: {
    ...PERSON_RESPONSES,
    204: { description: 'Removed; without another second factor the recovery codes are void, too' },
    404: { description: 'No app is set up', schema: Problem },
  },
  run: async (services, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const { person } = callerOf(call);
    return inTransaction(services.pool, async (client) => {
      await lockWaysIn(client, person.id);
      if (!(await removeTotp(client, person.id))) {
        return { status: 404, body: problem(404, 'totp_unknown', 'no authenticator app is set up') };
      }
      await dropNeedlessRecoveryCodes(client, person.id);
      await tellOfSignInChange(client, services, person, 'totp_removed');
      return { status: 204, audit: { target: `person/${person.id}` } };
    });
  },
});
