import { z } from 'zod';
import { route } from '../../http/route.ts';
import { AuthenticationResponse } from '../../identity/passkey/responses.ts';
import { answerSecondFactor } from '../../identity/second-factor/answer-second-factor.ts';
import { TOTP_CODE } from '../../identity/second-factor/totp.ts';
import { TokenField } from '../../identity/token-field.ts';
import { answerOfSignIn, SIGN_IN_RESPONSES } from '../account/sign-in-view.ts';

/** Longer than a recovery code with any spaces one may type into it. */
const MAX_RECOVERY_CODE_LENGTH = 40;

const pendingToken = TokenField.meta({ description: 'From the answer to the first step' });
const SecondFactorAnswer = z
  .discriminatedUnion('method', [
    z.strictObject({
      pendingToken,
      method: z.literal('totp'),
      code: z.string().regex(TOTP_CODE, 'must be the six digits that the app shows'),
    }),
    z.strictObject({
      pendingToken,
      method: z.literal('recovery'),
      code: z.string().min(1).max(MAX_RECOVERY_CODE_LENGTH),
    }),
    z.strictObject({ pendingToken, method: z.literal('passkey'), assertion: AuthenticationResponse }),
  ])
  .meta({ id: 'SecondFactorAnswer' });

export const answerSecondFactorOfSignIn = route({
  method: 'post',
  path: '/v1/sign-in/second-factor',
  id: 'answerSecondFactor',
  summary: 'Complete a sign-in by its second factor',
  tag: 'Sign-in',
  access: 'public',
  body: SecondFactorAnswer,
  responses: SIGN_IN_RESPONSES,
  run: async (services, call) => {
    const { pendingToken: token, ...answer } = call.body;
    const result = await answerSecondFactor(services, token, answer, call);
    if ('kind' in result) return answerOfSignIn(result);
    const after = { method: answer.method, refused: result.body.code };
    return { ...result, audit: { action: 'second_factor.refused', target: 'sign-in', after } };
  },
});
