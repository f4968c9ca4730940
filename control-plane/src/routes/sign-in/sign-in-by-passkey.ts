import { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
import { problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { personOfAssertion } from '../../identity/passkey/authenticate.ts';
import { relyingPartyOf } from '../../identity/passkey/relying-party.ts';
import { AuthenticationResponse } from '../../identity/passkey/responses.ts';
import { completeFirstFactor } from '../../identity/sign-in.ts';
import { answerOfSignIn, SIGN_IN_RESPONSES } from '../account/sign-in-view.ts';

export const signInByPasskey = route({
  method: 'post',
  path: '/v1/sign-in/passkey',
  id: 'signInByPasskey',
  summary: 'Sign in by a passkey alone; the device has checked its user, so no second factor is due',
  tag: 'Sign-in',
  access: 'public',
  body: z.strictObject({ assertion: AuthenticationResponse }),
  responses: SIGN_IN_RESPONSES,
  run: async ({ pool, portalUrl }, call) => {
    const purpose = { purpose: 'sign_in' } as const;
    const personId = await personOfAssertion(pool, relyingPartyOf(portalUrl), purpose, call.body.assertion);
    if (personId === undefined) {
      const body = problem(
        401,
        'passkey_refused',
        'this passkey is not known here, or its answer is not right; try again',
      );
      return { status: 401, body, headers: { 'www-authenticate': 'Bearer' } };
    }
    return answerOfSignIn(
      await inTransaction(pool, (client) => completeFirstFactor(client, personId, 'passkey', call)),
    );
  },
});
