import { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { removePasskey } from '../../identity/passkey/passkeys.ts';
import { dropNeedlessRecoveryCodes } from '../../identity/second-factor/first-recovery-codes.ts';
import { tellOfSignInChange } from '../../identity/tell-person.ts';
import { isLastWayIn, lockWaysIn } from '../../identity/ways-in.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { lastWayIn } from './last-way-in.ts';

export const removePasskeyOfPerson = route({
  method: 'delete',
  path: '/v1/account/passkeys/{passkey}',
  id: 'removePasskey',
  summary: 'Remove a passkey',
  tag: 'Second factors',
  access: 'person',
  params: z.strictObject({ passkey: z.uuid() }),
  responses: {
    ...PERSON_RESPONSES,
    204: { description: 'Removed' },
    404: { description: 'No such passkey', schema: Problem },
    409: { description: 'It is the last way to sign in', schema: Problem },
  },
  run: async (services, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const { person } = callerOf(call);
    return inTransaction(services.pool, async (client) => {
      const ways = await lockWaysIn(client, person.id);
      if (ways.passkeys.includes(call.params.passkey) && isLastWayIn(ways)) return lastWayIn();
      const removed = await removePasskey(client, person.id, call.params.passkey);
      if (removed === undefined) {
        return { status: 404, body: problem(404, 'passkey_unknown', 'you have no passkey with this id') };
      }
      await dropNeedlessRecoveryCodes(client, person.id);
      await tellOfSignInChange(client, services, person, 'passkey_removed', removed.name);
      return { status: 204, audit: { target: `person/${person.id}`, before: { passkey: removed.name } } };
    });
  },
});
