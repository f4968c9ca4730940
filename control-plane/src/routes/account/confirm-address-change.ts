import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { confirmAddressChange as confirm } from '../../identity/account/change-address.ts';
import { TokenField } from '../../identity/token-field.ts';
import { PERSON_RESPONSES } from './person-responses.ts';

export const confirmAddressChange = route({
  method: 'post',
  path: '/v1/account/address-changes/confirmations',
  id: 'confirmAddressChange',
  summary: 'Change the address by the token of the mail, signed in as the person who asked',
  tag: 'Account',
  access: 'person',
  body: z.strictObject({ token: TokenField }),
  responses: {
    ...PERSON_RESPONSES,
    204: { description: 'Changed; the old address was told' },
    404: { description: 'No such token of this person, or used or expired', schema: Problem },
    409: { description: 'Another account has the address by now', schema: Problem },
    429: { description: 'Too many attempts', schema: Problem },
  },
  run: (services, call) => confirm(services, call.body.token, call),
});
