import { z } from 'zod';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { enrolledSecondFactors } from '../../identity/second-factor/enrolled.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';

const TotpView = z.object({ enrolled: z.boolean() }).meta({ id: 'Totp' });

export const getTotp = route({
  method: 'get',
  path: '/v1/account/second-factors/totp',
  id: 'getTotp',
  summary: 'Whether an authenticator app is the second factor',
  tag: 'Second factors',
  access: 'person',
  responses: { ...PERSON_RESPONSES, 200: { description: 'Whether it is', schema: TotpView } },
  run: async ({ pool }, call) => {
    const factors = await enrolledSecondFactors(pool, callerOf(call).person.id);
    return { status: 200, body: { enrolled: factors.includes('totp') } };
  },
});
