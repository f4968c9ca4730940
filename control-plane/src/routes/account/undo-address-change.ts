import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { undoAddressChange as undo } from '../../identity/account/undo-address.ts';
import { TokenField } from '../../identity/token-field.ts';

export const undoAddressChange = route({
  method: 'post',
  path: '/v1/account/address-changes/undo',
  id: 'undoAddressChange',
  summary: 'Give the account back to its old address; every device is signed out and the password is void',
  tag: 'Account',
  access: 'public',
  body: z.strictObject({ token: TokenField }),
  responses: {
    204: { description: 'Undone; a mail leads to a new password' },
    403: { description: 'The call comes from another site', schema: Problem },
    404: { description: 'No such token, or used or expired', schema: Problem },
    409: { description: 'Another account has the address by now', schema: Problem },
    429: { description: 'Too many attempts', schema: Problem },
  },
  run: (services, call) => undo(services, call.body.token, call),
});
