import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { redeemPasswordReset as redeem } from '../../identity/account/reset-password.ts';
import { NewPassword } from '../../identity/password-rules.ts';
import { TokenField } from '../../identity/token-field.ts';

export const redeemPasswordReset = route({
  method: 'post',
  path: '/v1/account/password-resets/confirmations',
  id: 'redeemPasswordReset',
  summary: 'Set a new password by the token of the mail; every device is signed out',
  tag: 'Account',
  access: 'public',
  body: z.strictObject({ token: TokenField, password: NewPassword }),
  responses: {
    204: { description: 'Set' },
    403: { description: 'The call comes from another site', schema: Problem },
    404: { description: 'No such token, or used or expired', schema: Problem },
    422: { description: 'The password is not acceptable', schema: Problem },
    429: { description: 'Too many attempts', schema: Problem },
    503: { description: 'Too many sign in at this moment', schema: Problem },
  },
  run: (services, call) => redeem(services, call.body, call),
});
