import type { components } from '@cloudfreedom/control-plane/client/client.ts';
import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';

type Schemas = components['schemas'];

/** Whether this browser can keep and use passkeys. */
export function hasPasskeys(): boolean {
  return browserSupportsWebAuthn();
}

/** Has the browser ask for one of the passkeys that fit. */
export async function askForPasskey(options: Schemas['PasskeyOptions']): Promise<Schemas['PasskeyAssertion']> {
  // The API hands WebAuthn's own options on, and takes its own answer: both are described there loosely.
  const optionsJSON = options as unknown as PublicKeyCredentialRequestOptionsJSON;
  return (await startAuthentication({ optionsJSON })) as Schemas['PasskeyAssertion'];
}

/** Has the browser make a passkey. */
export async function makePasskey(options: Schemas['PasskeyOptions']): Promise<Schemas['PasskeyRegistration']> {
  const optionsJSON = options as unknown as PublicKeyCredentialCreationOptionsJSON;
  return (await startRegistration({ optionsJSON })) as Schemas['PasskeyRegistration'];
}

/** Whether the person closed the browser's passkey window, or it gave up waiting. */
export function isCancelled(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotAllowedError' || error.name === 'AbortError');
}
