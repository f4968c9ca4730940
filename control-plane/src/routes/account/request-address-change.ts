import { z } from 'zod';
import { route } from '../../http/route.ts';
import { requestAddressChange as request } from '../../identity/account/change-address.ts';
import { EmailField } from '../../identity/account/fields.ts';
import { MAIL_SENT_RESPONSES } from './mail-sent-view.ts';
import { PERSON_RESPONSES } from './person-responses.ts';

export const requestAddressChange = route({
  method: 'post',
  path: '/v1/account/address-changes',
  id: 'requestAddressChange',
  summary: 'Ask to change the mail address; the new one is asked to confirm. Needs a recent sign-in',
  tag: 'Account',
  access: 'person',
  body: z.strictObject({ email: EmailField }),
  responses: { ...PERSON_RESPONSES, ...MAIL_SENT_RESPONSES },
  run: (services, call) => request(services, call.body.email, call),
});
