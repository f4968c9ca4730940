import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { confirm as confirmRegistration } from '../../identity/account/confirm.ts';
import { noRegistrationCookie } from '../../identity/account/registration-cookie.ts';
import { TypedPassword } from '../../identity/password-rules.ts';
import { TokenField } from '../../identity/token-field.ts';
import { answerOfSignIn, SIGN_IN_RESPONSES } from './sign-in-view.ts';

export const confirm = route({
  method: 'post',
  path: '/v1/account/confirmations',
  id: 'confirmRegistration',
  summary: 'Confirm the address by the token of the mail, and be signed in',
  tag: 'Account',
  access: 'public',
  body: z.strictObject({
    token: TokenField,
    password: TypedPassword.optional().meta({
      description: 'The password of the registration; needed in another browser than the one that registered',
    }),
  }),
  responses: {
    ...SIGN_IN_RESPONSES,
    403: { description: 'The password is needed too (password_required)', schema: Problem },
    404: { description: 'No such token, or used or expired', schema: Problem },
  },
  run: async (services, call) => {
    const result = await confirmRegistration(services, call.body, call);
    if (!('kind' in result)) return result;
    const answer = answerOfSignIn(result);
    return { ...answer, cookies: [...(answer.cookies ?? []), noRegistrationCookie()] };
  },
});
