import { z } from 'zod';
import { route } from '../../http/route.ts';
import { EmailField } from '../../identity/account/fields.ts';
import { signInWithPassword } from '../../identity/account/sign-in-with-password.ts';
import { TypedPassword } from '../../identity/password-rules.ts';
import { answerOfSignIn, SIGN_IN_RESPONSES } from './sign-in-view.ts';

export const signIn = route({
  method: 'post',
  path: '/v1/account/sessions',
  id: 'signIn',
  summary: 'Sign in with address and password',
  tag: 'Account',
  access: 'public',
  body: z.strictObject({ email: EmailField, password: TypedPassword }),
  responses: SIGN_IN_RESPONSES,
  run: async (services, call) => {
    const result = await signInWithPassword(services, call.body, call);
    if ('kind' in result) return answerOfSignIn(result);
    // Told alike whether somebody has the address or nobody: what it costs must not tell.
    const audit = {
      action: 'sign_in.refused',
      target: 'sign-in',
      after: { email: call.body.email, refused: result.body.code },
    };
    return { ...result, audit };
  },
});
