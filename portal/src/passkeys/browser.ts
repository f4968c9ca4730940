import { browserSupportsWebAuthn } from '@simplewebauthn/browser';

/** Whether this browser can keep and use passkeys. */
export function hasPasskeys(): boolean {
  return browserSupportsWebAuthn();
}

/** Whether the person closed the browser's passkey window, or it gave up waiting. */
export function isCancelled(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotAllowedError' || error.name === 'AbortError');
}
