import { Secret, TOTP } from 'otpauth';
import { SoftwareAuthenticator } from '../../../identity/passkey/testing/software-authenticator.ts';
import { PORTAL_URL } from '../../../testing/api.ts';
import type { Browser } from './browser.ts';

export const STEP_MS = 30_000;

/** What an authenticator app shows. */
export function codeOf(secret: string, at: Date): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at.getTime() });
}

/** Sets up an app for who is signed in, with the code of the step before, so that the present one is still unused. */
export async function enrolTotp(browser: Browser, now: Date): Promise<{ secret: string; recoveryCodes: string[] }> {
  const { body: enrolment } = await browser.call('POST', '/v1/account/second-factors/totp');
  const code = codeOf(enrolment.secret, new Date(now.getTime() - STEP_MS));
  const answer = await browser.call('POST', '/v1/account/second-factors/totp/confirmations', { code });
  if (answer.status !== 200) throw new Error(`confirming was answered ${answer.status} ${answer.body.code}`);
  return { secret: enrolment.secret, recoveryCodes: answer.body.recoveryCodes };
}

/** Makes a passkey for who is signed in. */
export async function enrolPasskey(
  browser: Browser,
): Promise<{ device: SoftwareAuthenticator; id: string; recoveryCodes: string[] | null }> {
  const device = new SoftwareAuthenticator(PORTAL_URL);
  const { body: options } = await browser.call('POST', '/v1/account/passkeys/options');
  const credential = device.create(options);
  const answer = await browser.call('POST', '/v1/account/passkeys', { name: 'My laptop', credential });
  if (answer.status !== 201) throw new Error(`the passkey was answered ${answer.status} ${answer.body.code}`);
  return { device, id: answer.body.passkey.id, recoveryCodes: answer.body.recoveryCodes };
}
