import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from './client.ts';

/** Who is signed in, and the tenants they belong to. Refused with 401 where nobody is. */
export const accountQuery = queryOptions({
  queryKey: ['account'],
  queryFn: () => dataOf(api.GET('/v1/account')),
});

/** A registration; the mail that follows confirms its address. */
export type Registration = {
  name: string;
  email: string;
  password: string;
  language: 'de' | 'en';
  termsVersion: string;
};

/** Keeps a registration and has the mail sent. */
export const register = (body: Registration) => dataOf(api.POST('/v1/account/registrations', { body }));

/** Sends the mail of this browser's registration once more. */
export const resendRegistration = (email: string) =>
  dataOf(api.POST('/v1/account/registrations/resend', { body: { email } }));

/** Confirms a registration, which signs in; another browser than the one that registered gives the password, too. */
export const confirmRegistration = (body: { token: string; password?: string }) =>
  dataOf(api.POST('/v1/account/confirmations', { body }));

/** Has a link for a new password sent, if there is such an account. */
export const requestReset = (email: string) => dataOf(api.POST('/v1/account/password-resets', { body: { email } }));

/** Sets a new password with the token of that mail. */
export const resetPassword = (body: { token: string; password: string }) =>
  dataOf(api.POST('/v1/account/password-resets/confirmations', { body }));

/** Has a link sent to a new address. */
export const requestAddressChange = (email: string) =>
  dataOf(api.POST('/v1/account/address-changes', { body: { email } }));

/** Puts the new address in the old one's place. */
export const confirmAddressChange = (token: string) =>
  dataOf(api.POST('/v1/account/address-changes/confirmations', { body: { token } }));

/** Gives the account back to its old address. */
export const undoAddressChange = (token: string) =>
  dataOf(api.POST('/v1/account/address-changes/undo', { body: { token } }));

/** Changes name or language. */
export const changeAccount = (body: { name?: string; language?: 'de' | 'en' }) =>
  dataOf(api.PATCH('/v1/account', { body }));

/** Changes the password, or sets the first one. */
export const changePassword = (body: { presentPassword?: string; newPassword: string }) =>
  dataOf(api.PUT('/v1/account/password', { body }));

/** Proves by the password once more who one is. */
export const reauthenticate = (password: string) =>
  dataOf(api.POST('/v1/account/reauthentications', { body: { password } }));

/** Where one is signed in. */
export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async () => (await dataOf(api.GET('/v1/account/sessions'))).items,
});

/** Signs one device out. */
export const endSession = (session: string) =>
  dataOf(api.DELETE('/v1/account/sessions/{session}', { params: { path: { session } } }));

/** Signs all other devices out. */
export const endOtherSessions = () => dataOf(api.DELETE('/v1/account/sessions'));

/** Signs out here. */
export const signOut = () => dataOf(api.DELETE('/v1/account/sessions/current'));
