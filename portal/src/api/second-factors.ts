import { queryOptions } from '@tanstack/react-query';
import { makePasskey } from '../passkeys/browser.ts';
import { api, dataOf } from './client.ts';
import type { Provider } from './sign-in.ts';

/** Recovery codes come with the first second factor; null where there are some. */
export type Added = { readonly recoveryCodes: readonly string[] | null };

/** What an authenticator app needs, shown once. */
export const startTotp = () => dataOf(api.POST('/v1/account/second-factors/totp'));

/** Proves that the app works; from now on sign-ins ask for its code. */
export const confirmTotp = (code: string) =>
  dataOf(api.POST('/v1/account/second-factors/totp/confirmations', { body: { code } }));

/** Stops asking for the app's code. */
export const removeTotp = () => dataOf(api.DELETE('/v1/account/second-factors/totp'));

/** How many recovery codes are left. */
export const recoveryCodesQuery = queryOptions({
  queryKey: ['recovery-codes'],
  queryFn: () => dataOf(api.GET('/v1/account/second-factors/recovery-codes')),
});

/** Makes new recovery codes; the old ones are void. */
export const replaceRecoveryCodes = () => dataOf(api.POST('/v1/account/second-factors/recovery-codes'));

/** The person's passkeys. */
export const passkeysQuery = queryOptions({
  queryKey: ['passkeys'],
  queryFn: async () => (await dataOf(api.GET('/v1/account/passkeys'))).items,
});

/** Has the browser make a passkey and keeps it. */
export async function addPasskey(name: string): Promise<Added> {
  const options = await dataOf(api.POST('/v1/account/passkeys/options'));
  const credential = await makePasskey(options);
  return dataOf(api.POST('/v1/account/passkeys', { body: { name, credential } }));
}

/** Forgets a passkey. */
export const removePasskey = (passkey: string) =>
  dataOf(api.DELETE('/v1/account/passkeys/{passkey}', { params: { path: { passkey } } }));

/** Accounts at services with which the person signs in. */
export const identitiesQuery = queryOptions({
  queryKey: ['identities'],
  queryFn: async () => (await dataOf(api.GET('/v1/account/identities'))).items,
});

/** Sends the browser to a service whose account is to be linked. */
export async function beginLink(provider: Provider['provider']): Promise<void> {
  const params = { path: { provider } };
  const body = { returnTo: `/account/security?linked=${provider}` };
  const { url } = await dataOf(api.POST('/v1/account/identities/{provider}', { params, body }));
  window.location.assign(url);
}

/** Stops signing in with a service's account. */
export const unlinkIdentity = (provider: Provider['provider']) =>
  dataOf(api.DELETE('/v1/account/identities/{provider}', { params: { path: { provider } } }));
