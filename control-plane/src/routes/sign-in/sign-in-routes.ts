import type { Route } from '../../http/route.ts';
import { acceptTermsOfSignIn } from './accept-terms.ts';
import { addPasskey } from './add-passkey.ts';
import { answerSecondFactorOfSignIn } from './answer-second-factor.ts';
import { beginLink } from './begin-link.ts';
import { beginProviderSignIn } from './begin-provider-sign-in.ts';
import { confirmTotp } from './confirm-totp.ts';
import { endProviderSignIn } from './end-provider-sign-in.ts';
import { getRecoveryCodes } from './get-recovery-codes.ts';
import { getTotp } from './get-totp.ts';
import { linkWaitingIdentity } from './link-waiting-identity.ts';
import { listIdentitiesOfPerson } from './list-identities.ts';
import { listPasskeysOfPerson } from './list-passkeys.ts';
import { listProviders } from './list-providers.ts';
import { passkeySignInOptions } from './passkey-options.ts';
import { passkeyRegistrationOptions } from './passkey-registration-options.ts';
import { removePasskeyOfPerson } from './remove-passkey.ts';
import { removeTotpOfPerson } from './remove-totp.ts';
import { replaceRecoveryCodes } from './replace-recovery-codes.ts';
import { signInByPasskey } from './sign-in-by-passkey.ts';
import { startTotp } from './start-totp.ts';
import { unlinkIdentityOfPerson } from './unlink-identity.ts';

/** Ways in beside the password. Addresses without a parameter stand before those that a parameter would take for its own. */
export const signInRoutes: readonly Route[] = [
  listProviders,
  acceptTermsOfSignIn,
  answerSecondFactorOfSignIn,
  passkeySignInOptions,
  signInByPasskey,
  beginProviderSignIn,
  endProviderSignIn,
  getTotp,
  startTotp,
  confirmTotp,
  removeTotpOfPerson,
  getRecoveryCodes,
  replaceRecoveryCodes,
  listPasskeysOfPerson,
  passkeyRegistrationOptions,
  addPasskey,
  removePasskeyOfPerson,
  listIdentitiesOfPerson,
  linkWaitingIdentity,
  beginLink,
  unlinkIdentityOfPerson,
];
