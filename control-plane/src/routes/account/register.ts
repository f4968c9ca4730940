import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { EmailField, LanguageField, NameField, TermsVersionField } from '../../identity/account/fields.ts';
import { unacceptable } from '../../identity/account/refusals.ts';
import { register as keepRegistration } from '../../identity/account/register.ts';
import { NewPassword, weaknessOf } from '../../identity/password-rules.ts';
import { currentTerms } from '../../privacy/terms.ts';
import { MAIL_SENT_RESPONSES } from './mail-sent-view.ts';

export const register = route({
  method: 'post',
  path: '/v1/account/registrations',
  id: 'register',
  summary: 'Register: a mail asks to confirm the address; the answer is the same for known and unknown addresses',
  tag: 'Account',
  access: 'public',
  body: z.strictObject({
    name: NameField,
    email: EmailField,
    password: NewPassword,
    language: LanguageField,
    termsVersion: TermsVersionField,
  }),
  responses: {
    ...MAIL_SENT_RESPONSES,
    503: { description: 'Too many register at this moment', schema: Problem },
  },
  run: async (services, call) => {
    const { version } = await currentTerms();
    if (call.body.termsVersion !== version) {
      return unacceptable('termsVersion', `is not the version in force, which is ${version}; show GET /v1/terms`);
    }
    const weakness = weaknessOf(call.body.password, call.body);
    if (weakness !== undefined) return unacceptable('password', weakness);
    return keepRegistration(services, call.body, call);
  },
});
