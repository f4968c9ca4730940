import { z } from 'zod';
import { route } from '../../http/route.ts';
import { EmailField } from '../../identity/account/fields.ts';
import { requestPasswordReset as request } from '../../identity/account/reset-password.ts';
import { MAIL_SENT_RESPONSES } from './mail-sent-view.ts';

export const requestPasswordReset = route({
  method: 'post',
  path: '/v1/account/password-resets',
  id: 'requestPasswordReset',
  summary: 'Ask for a mail to set a new password; the answer is the same for known and unknown addresses',
  tag: 'Account',
  access: 'public',
  body: z.strictObject({ email: EmailField }),
  responses: MAIL_SENT_RESPONSES,
  run: (services, call) => request(services, call.body.email, call),
});
