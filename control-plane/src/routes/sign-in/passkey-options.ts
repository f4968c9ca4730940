import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { secondFactorOptions, signInOptions } from '../../identity/passkey/authenticate.ts';
import { relyingPartyOf } from '../../identity/passkey/relying-party.ts';
import { signInExpired } from '../../identity/second-factor/answer-second-factor.ts';
import { readPendingSignIn } from '../../identity/sign-in.ts';
import { TokenField } from '../../identity/token-field.ts';
import { PasskeyOptionsView } from './passkey-view.ts';

export const passkeySignInOptions = route({
  method: 'post',
  path: '/v1/sign-in/passkey/options',
  id: 'passkeySignInOptions',
  summary: 'What navigator.credentials.get() needs, to sign in or as a second factor',
  tag: 'Sign-in',
  access: 'public',
  body: z.strictObject({
    pendingToken: TokenField.optional().meta({
      description: 'For the second step; absent: to sign in by passkey alone',
    }),
  }),
  responses: {
    200: { description: 'For PublicKeyCredential.parseRequestOptionsFromJSON(), once', schema: PasskeyOptionsView },
    401: { description: 'The sign-in has ended', schema: Problem },
  },
  run: async ({ pool, portalUrl }, { body }) => {
    const party = relyingPartyOf(portalUrl);
    if (body.pendingToken === undefined) return { status: 200, body: await signInOptions(pool, party) };
    const pending = await readPendingSignIn(pool, body.pendingToken);
    if (pending === undefined) return signInExpired();
    return { status: 200, body: await secondFactorOptions(pool, party, pending.personId) };
  },
});
