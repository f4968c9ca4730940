import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';
import { accountLocked } from '../../identity/account/refusals.ts';
import type { SignIn } from '../../identity/sign-in.ts';

/** The answer to a sign-in that is complete; the session is in the cookie. */
export const SignedInView = z
  .object({ status: z.literal('signed_in'), personId: z.uuid() })
  .meta({ id: 'SignedIn', description: 'Signed in; the session is in the cookie' });

/** The answer to a sign-in whose second factor is still due. */
export const SecondFactorView = z
  .object({
    status: z.literal('second_factor_required'),
    pendingToken: z.string().meta({ description: 'Opens the second step, and nothing else' }),
    methods: z.array(z.enum(['totp', 'passkey', 'recovery'])),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'SecondFactorRequired', description: 'The first factor was right; the second is still due' });

/** What every route that signs somebody in may answer, beside its own. */
export const SIGN_IN_RESPONSES = {
  201: { description: 'Signed in', schema: SignedInView },
  202: { description: 'A second factor is still due', schema: SecondFactorView },
  401: { description: 'Not the right proof', schema: Problem },
  403: { description: 'The account is locked, or the call comes from another site', schema: Problem },
  429: { description: 'Too many attempts', schema: Problem },
  503: { description: 'Too many sign in at this moment', schema: Problem },
};

/** Says in HTTP what a sign-in came to. */
export function answerOfSignIn(signIn: SignIn): Answer {
  switch (signIn.kind) {
    case 'signed_in':
      return {
        status: 201,
        body: { status: 'signed_in', personId: signIn.personId },
        cookies: [signIn.cookie],
        audit: { target: `person/${signIn.personId}` },
      };
    case 'second_factor_required': {
      const { pendingToken, methods, expiresAt } = signIn;
      const body = { status: signIn.kind, pendingToken, methods, expiresAt: expiresAt.toISOString() };
      return { status: 202, body };
    }
    case 'locked':
      return accountLocked();
  }
}
