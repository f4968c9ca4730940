import { expect } from 'vitest';
import { currentTerms } from '../privacy/terms.ts';
import type { Api } from './api.ts';
import { type Browser, openBrowser } from './browser.ts';
import type { MailCatcher } from './receivers.ts';

const { version: termsVersion } = await currentTerms();
export const PASSWORD = 'a sentence of four words';

/** A valid registration; tests say only what matters to them. */
export function registration(email: string, more: object = {}): object {
  return { name: 'Ada Example', email, password: PASSWORD, language: 'en', termsVersion, ...more };
}

/** The texts of the mails that have arrived for an address, oldest first. */
export function mailsTo({ mails }: MailCatcher, email: string): { subject: string; text: string; html: string }[] {
  return mails
    .filter(({ to }) => [to].flat()[0]?.text === email)
    .map(({ subject, text, html }) => ({ subject: subject ?? '', text: text ?? '', html: html || '' }));
}

/** Waits for the mail of that number (from 1) to an address. */
export async function mailTo(catcher: MailCatcher, email: string, number = 1) {
  await expect.poll(() => mailsTo(catcher, email).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(number);
  return mailsTo(catcher, email)[number - 1] ?? { subject: '', text: '', html: '' };
}

/** The token of a mail's link. */
export function tokenOf({ text }: { text: string }): string {
  return /#(?:token|undo)=([A-Za-z0-9_-]+)/.exec(text)?.[1] ?? 'no token in this mail';
}

/** Somebody who has registered and confirmed, signed in in the browser that is returned. */
export async function newAccount(api: Api, catcher: MailCatcher, email: string, more: object = {}): Promise<Browser> {
  const browser = openBrowser(api);
  const before = mailsTo(catcher, email).length;
  expect((await browser.call('POST', '/v1/account/registrations', registration(email, more))).status).toBe(202);
  const token = tokenOf(await mailTo(catcher, email, before + 1));
  expect((await browser.call('POST', '/v1/account/confirmations', { token })).status).toBe(201);
  return browser;
}

/** Signs in in a fresh browser. */
export async function signInAs(api: Api, email: string, password: string = PASSWORD) {
  const browser = openBrowser(api);
  const answer = await browser.call('POST', '/v1/account/sessions', { email, password });
  return { browser, answer };
}
