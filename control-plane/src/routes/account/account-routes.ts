import type { Route } from '../../http/route.ts';
import { changeAccount } from './change-account.ts';
import { changePassword } from './change-password.ts';
import { confirm } from './confirm.ts';
import { confirmAddressChange } from './confirm-address-change.ts';
import { endOtherSessions } from './end-other-sessions.ts';
import { endSession } from './end-session.ts';
import { getAccount } from './get-account.ts';
import { listSessions } from './list-sessions.ts';
import { reauthenticate } from './reauthenticate.ts';
import { redeemPasswordReset } from './redeem-password-reset.ts';
import { register } from './register.ts';
import { requestAddressChange } from './request-address-change.ts';
import { requestPasswordReset } from './request-password-reset.ts';
import { resendRegistration } from './resend-registration.ts';
import { signIn } from './sign-in.ts';
import { signOut } from './sign-out.ts';
import { undoAddressChange } from './undo-address-change.ts';

/** See the files beside this one: one operation each. signOut comes before endSession, whose address matches it too. */
export const accountRoutes: readonly Route[] = [
  register,
  resendRegistration,
  confirm,
  signIn,
  signOut,
  listSessions,
  endSession,
  endOtherSessions,
  getAccount,
  changeAccount,
  changePassword,
  requestPasswordReset,
  redeemPasswordReset,
  requestAddressChange,
  confirmAddressChange,
  undoAddressChange,
  reauthenticate,
];
