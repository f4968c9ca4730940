import type { components } from '@cloudfreedom/control-plane/client/client.ts';
import { queryOptions } from '@tanstack/react-query';
import { askForPasskey } from '../passkeys/browser.ts';
import { api, dataOf } from './client.ts';
import type { FirstStep } from './types.ts';

/** A service whose accounts may sign in here. */
export type Provider = components['schemas']['SignInProviders']['items'][number];
/** A sign-in whose second factor is still due. */
export type PendingSignIn = Extract<FirstStep, { status: 'second_factor_required' }>;

/** Services whose accounts may sign in here. */
export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: async () => (await dataOf(api.GET('/v1/sign-in/providers'))).items,
});

/** Where the browser goes to sign in at a service. */
export function providerStart(provider: string, returnTo: string | undefined): string {
  const query = returnTo === undefined ? '' : `?${new URLSearchParams({ return_to: returnTo })}`;
  return `/v1/sign-in/${provider}${query}`;
}

/** Signs in with address and password. */
export const signInWithPassword = (body: { email: string; password: string }) =>
  dataOf(api.POST('/v1/account/sessions', { body }));

/** Signs in with whichever passkey of this portal the browser offers. */
export async function signInWithPasskey(): Promise<FirstStep> {
  const options = await dataOf(api.POST('/v1/sign-in/passkey/options', { body: {} }));
  const assertion = await askForPasskey(options);
  return dataOf(api.POST('/v1/sign-in/passkey', { body: { assertion } }));
}

/** Completes a sign-in with the app's code or a recovery code. */
export const completeWithCode = (body: { pendingToken: string; method: 'totp' | 'recovery'; code: string }) =>
  dataOf(api.POST('/v1/sign-in/second-factor', { body }));

/** Completes a sign-in with one of the person's passkeys. */
export async function completeWithPasskey(pendingToken: string): Promise<FirstStep> {
  const options = await dataOf(api.POST('/v1/sign-in/passkey/options', { body: { pendingToken } }));
  const assertion = await askForPasskey(options);
  return dataOf(api.POST('/v1/sign-in/second-factor', { body: { pendingToken, method: 'passkey', assertion } }));
}

/** Accepts the terms after a first sign-in at a service, which makes the account. */
export const acceptTermsOfSignIn = (body: { token: string; termsVersion: string; language: 'de' | 'en' }) =>
  dataOf(api.POST('/v1/sign-in/terms', { body }));

/** Adds the service's account whose sign-in found that its address has an account here. */
export const linkWaitingIdentity = (token: string) => dataOf(api.POST('/v1/account/identities', { body: { token } }));
