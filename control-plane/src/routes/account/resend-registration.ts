import { z } from 'zod';
import { route } from '../../http/route.ts';
import { EmailField } from '../../identity/account/fields.ts';
import { resendRegistration as resend } from '../../identity/account/register.ts';
import { MAIL_SENT_RESPONSES } from './mail-sent-view.ts';

export const resendRegistration = route({
  method: 'post',
  path: '/v1/account/registrations/resend',
  id: 'resendRegistration',
  summary: 'Send the mail of this browser’s registration once more; the link of the one before stops working',
  tag: 'Account',
  access: 'public',
  body: z.strictObject({ email: EmailField }),
  responses: MAIL_SENT_RESPONSES,
  run: (services, call) => resend(services, call.body.email, call),
});
