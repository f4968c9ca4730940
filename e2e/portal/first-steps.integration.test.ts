import { mailTo, PASSWORD, tokenOf } from '@cloudfreedom/control-plane/testing/account.ts';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PortalRig, startPortalRig, type Visit } from './rig.ts';

const EMAIL = 'ada@example.test';

let rig: PortalRig;
let visit: Visit;
beforeAll(async () => {
  rig = await startPortalRig();
  visit = await rig.visit();
});
afterAll(async () => {
  await visit?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

let secret = '';
const codeOfTheApp = () => new TOTP({ secret }).generate();

test('somebody registers by keyboard alone, and is told to look into their mail', async () => {
  const { page } = visit;
  await page.goto(`${rig.url}/register`);
  await page.getByLabel('Name').waitFor();
  const { keyboard } = page;
  const focused = () => page.evaluate("document.activeElement?.getAttribute('name')");
  // brand, preferences, then the form
  while ((await focused()) !== 'name') await keyboard.press('Tab');
  await keyboard.type('Ada Example');
  await keyboard.press('Tab');
  await keyboard.type(EMAIL);
  await keyboard.press('Tab');
  await keyboard.type('short');
  while ((await focused()) !== 'accepted') await keyboard.press('Tab');
  await keyboard.press('Enter');
  await page.getByText('At least 12 characters.', { exact: true }).waitFor();
  await page.getByText('Without your consent we cannot create an account.').waitFor();
  // the first field that is wrong has the focus
  expect(await focused()).toBe('password');
  await keyboard.press('ControlOrMeta+a');
  await keyboard.type(PASSWORD);
  while ((await focused()) !== 'accepted') await keyboard.press('Tab');
  await keyboard.press('Space');
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
  await page.getByText(EMAIL).waitFor();
});

test('the link of the mail confirms the address and signs in', async () => {
  const { page } = visit;
  const token = tokenOf(await mailTo(rig.mails, EMAIL));
  await page.goto(`${rig.url}/confirm#token=${token}`);
  await page.getByRole('button', { name: 'Confirm address' }).waitFor();
  expect(page.url(), 'the token leaves the address').toBe(`${rig.url}/confirm`);
  await page.getByRole('button', { name: 'Confirm address' }).click();
  await page.getByRole('heading', { name: 'Welcome to CloudFreedom' }).waitFor();
  const [cookie] = await visit.context.cookies();
  expect(cookie).toMatchObject({ name: '__Host-cloudfreedom', secure: true, httpOnly: true, sameSite: 'Lax' });
});

test('a used link says so, and what to do', async () => {
  const { page } = visit;
  const token = tokenOf(await mailTo(rig.mails, EMAIL));
  await page.goto(`${rig.url}/confirm#token=${token}`);
  await page.getByRole('button', { name: 'Confirm address' }).click();
  await page.getByText('This link was used already or has expired. Ask for a new one.').waitFor();
});

test('an authenticator app is set up with a code that is drawn in the page', async () => {
  const { page } = visit;
  await page.goto(`${rig.url}/account/security`);
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor();
  secret = ((await page.getByRole('dialog').locator('.identifier').textContent()) ?? '').replaceAll(/\s/g, '');
  await page.getByLabel('The code that the app shows now').fill('000000');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByText('This is not the code that the app shows now.', { exact: false }).waitFor();
  await page.getByLabel('The code that the app shows now').fill(codeOfTheApp());
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByText('Print or save these codes now.', { exact: false }).waitFor();
  expect(await page.getByRole('dialog').getByRole('listitem').count()).toBe(10);
  await page.getByRole('button', { name: 'I have put them away' }).click();
  await page.getByText('on', { exact: true }).waitFor();
  await page.getByText('10 codes left').waitFor();
});

test('the next sign-in asks for the second step and goes on to where one was going', async () => {
  const { page } = visit;
  await page.getByRole('button', { name: 'Your account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.goto(`${rig.url}/account/sessions`);
  await page.getByLabel('Email address').fill(EMAIL);
  await page.getByLabel('Password', { exact: true }).fill('not the password at all');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Address and password do not belong together', { exact: false }).waitFor();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Second step' }).waitFor();
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.getByLabel('Recovery code').fill('nonsense');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('This code is not right or was used already.', { exact: false }).waitFor();
  await page.getByRole('button', { name: 'Use the code of the app' }).click();
  // the code that enrolled is used up: the app's next one is a minute's half away, and the API lets it in already
  await page.getByLabel('Code').fill(new TOTP({ secret }).generate({ timestamp: Date.now() + 30_000 }));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByRole('heading', { name: 'Devices' }).waitFor();
  await page.getByText('this device').waitFor();
});

test('no page asked anybody else for anything, and the browser had nothing to complain about', () => {
  expect(visit.strangers).toEqual([]);
  expect(visit.complaints).toEqual([]);
});
