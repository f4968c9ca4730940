import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { LanguageField, NameField, TermsVersionField } from '../../identity/account/fields.ts';
import { acceptTerms } from '../../identity/social/accept-terms.ts';
import { TokenField } from '../../identity/token-field.ts';
import { answerOfSignIn, SIGN_IN_RESPONSES } from '../account/sign-in-view.ts';

export const acceptTermsOfSignIn = route({
  method: 'post',
  path: '/v1/sign-in/terms',
  id: 'acceptTermsOfSignIn',
  summary: 'Accept the terms after a first sign-in at a provider; this makes the account',
  tag: 'Sign-in',
  access: 'public',
  body: z.strictObject({
    token: TokenField,
    termsVersion: TermsVersionField,
    language: LanguageField,
    name: NameField.optional(),
  }),
  responses: {
    ...SIGN_IN_RESPONSES,
    404: { description: 'The sign-in was completed already, or has expired', schema: Problem },
    409: { description: 'An account with this address was made meanwhile', schema: Problem },
  },
  run: async (services, call) => {
    const result = await acceptTerms(services, { ...call.body, name: call.body.name }, call);
    return 'kind' in result ? answerOfSignIn(result) : result;
  },
});
