import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { changePassword as change } from '../../identity/account/change-password.ts';
import { NewPassword, TypedPassword } from '../../identity/password-rules.ts';

export const changePassword = route({
  method: 'put',
  path: '/v1/account/password',
  id: 'changePassword',
  summary: 'Change the password, or set the first one; all other devices are signed out',
  tag: 'Account',
  access: 'person',
  body: z.strictObject({
    presentPassword: TypedPassword.optional().meta({ description: 'Needed where there is one' }),
    newPassword: NewPassword,
  }),
  responses: {
    204: { description: 'Changed' },
    401: { description: 'Not signed in, or the present password is wrong', schema: Problem },
    403: { description: 'There is no password yet, and the sign-in was too long ago', schema: Problem },
    422: { description: 'The password is not acceptable', schema: Problem },
    429: { description: 'Too many attempts', schema: Problem },
    503: { description: 'Too many sign in at this moment', schema: Problem },
  },
  run: (services, call) => change(services, call.body, call),
});
