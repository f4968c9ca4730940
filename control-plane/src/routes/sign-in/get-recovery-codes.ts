import { z } from 'zod';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { recoveryCodesLeft } from '../../identity/second-factor/recovery-codes.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';

const RecoveryCodesLeftView = z.object({ left: z.int() }).meta({ id: 'RecoveryCodesLeft' });

export const getRecoveryCodes = route({
  method: 'get',
  path: '/v1/account/second-factors/recovery-codes',
  id: 'getRecoveryCodes',
  summary: 'How many recovery codes are left',
  tag: 'Second factors',
  access: 'person',
  responses: { ...PERSON_RESPONSES, 200: { description: 'Their number', schema: RecoveryCodesLeftView } },
  run: async ({ pool }, call) => {
    return { status: 200, body: { left: await recoveryCodesLeft(pool, callerOf(call).person.id) } };
  },
});
