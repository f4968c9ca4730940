import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { mailsTo, tokenOf } from '@cloudfreedom/control-plane/testing/account.ts';
import { ADMIN_KEY, OPERATOR_KEY, type TestPerson } from '@cloudfreedom/control-plane/testing/api.ts';
import { startTestCluster, type TestCluster } from '@cloudfreedom/control-plane/testing/cluster.ts';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { screenshots } from '../browser/chromium.ts';
import { until } from '../process/until.ts';
import { type PortalRig, startPortalRig } from './rig.ts';

/** WCAG 2.2 at level AA, and all that it builds on. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** Expressions for the page: the tests themselves know no DOM. */
const WIDTH = 'document.documentElement.scrollWidth';
const AT_REST = `document.querySelector('.animate-spin') === null
  && document.getAnimations().every(({ playState }) => playState !== 'running')`;
const TENANT = 'muster-maschinenbau';

let kubernetes: TestCluster;
let rig: PortalRig;
let ada: TestPerson;
let invitation: string;
beforeAll(async () => {
  await mkdir(path.join(screenshots, 'portal'), { recursive: true });
  kubernetes = await startTestCluster();
  rig = await startPortalRig({ kubernetes: kubernetes.kubeconfigPath });
  const { api } = rig;
  ada = await api.signedIn('ada@muster.example', { name: 'Ada Muster', language: 'de' });
  const bob = await api.signedIn('bob@muster.example', { name: 'Bob Muster' });
  await api.tenant(TENANT, { displayName: 'Muster Maschinenbau GmbH & Co. KG', maxMembers: 5 });
  await api.belongs(ada, TENANT, 'owner');
  await api.belongs(bob, TENANT, 'member');
  const plan = {
    displayName: 'Starter',
    pricePerMonthNanoEur: '9990000000',
    monthlyBudgetNanoEur: '25000000000',
    maxMembers: 1,
    modelClasses: ['mini'],
    marginPercent: 20,
  };
  await api.call('PUT', '/v1/plans/starter', OPERATOR_KEY, plan);
  await api.call('PUT', '/v1/plans/enterprise', OPERATOR_KEY, {
    ...plan,
    displayName: 'Enterprise',
    pricePerMonthNanoEur: null,
  });
  await post(`/v1/tenants/${TENANT}/invitations`, { email: 'eve@muster.example', role: 'member' });
  await post(`/v1/tenants/${TENANT}/keys/mine`, { name: 'Laptop' });
  await api.call('POST', `/v1/tenants/${TENANT}/keys`, ADMIN_KEY, { name: 'CI', scopes: ['chat', 'usage.read'] });
  const mail = async () => mailsTo(rig.mails, 'eve@muster.example')[0];
  invitation = tokenOf(await until('the mail that invites', mail, { timeoutMs: 30_000, intervalMs: 100 }));
  const displayName = 'Muster Maschinenbau GmbH & Co. KG';
  await kubernetes.applyAs('argocd', TENANT, {
    displayName,
    plan: 'starter',
    owners: [ada.email],
    dataResidency: 'eu',
  });
  await kubernetes.report(TENANT, true, 'Available');
  const wish = { name: 'neu', displayName: 'Neu', plan: 'starter', language: 'de' };
  await post('/v1/tenants', wish);
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await kubernetes?.stop();
});

/** What Ada's browser would send; each makes something. */
async function post(address: string, body: object): Promise<void> {
  const answer = await rig.api.as(ada, 'POST', address, body, { origin: rig.url });
  if (answer.status !== 201) throw new Error(`${address} was answered ${answer.status} ${answer.body.code}`);
}

type Step = (page: Page) => Promise<unknown>;
type Stop = { name: string; path: string | (() => string); signedIn?: boolean; before?: Step };

const press =
  (name: RegExp): Step =>
  (page) =>
    page.getByRole('button', { name }).first().click();

/** Every page, and the dialogs that have a form of their own. */
const stops: Stop[] = [
  { name: 'register', path: '/register' },
  { name: 'register-faults', path: '/register', before: press(/^(Konto anlegen|Create account)$/) },
  { name: 'confirm', path: '/confirm#token=a' },
  { name: 'confirm-without-token', path: '/confirm' },
  { name: 'sign-in', path: '/sign-in' },
  {
    name: 'second-factor',
    path: '/second-factor#token=a&methods=totp,passkey,recovery&expires_at=2026-12-01T00:00:00Z',
  },
  { name: 'forgot', path: '/forgot' },
  { name: 'reset', path: '/reset#token=a' },
  { name: 'change-address', path: '/change-address#token=a' },
  { name: 'invitation', path: () => `/invitation#token=${invitation}` },
  { name: 'invitation-unknown', path: `/invitation#token=${'a'.repeat(43)}` },
  { name: 'top-up', path: '/top-up' },
  { name: 'not-found', path: '/nowhere' },
  { name: 'new-tenant', path: '/tenants/new', signedIn: true },
  { name: 'tenant-in-the-making', path: '/tenants/neu', signedIn: true },
  { name: 'tenant-unknown', path: '/tenants/nobodys/members', signedIn: true },
  { name: 'tenant', path: `/tenants/${TENANT}`, signedIn: true },
  { name: 'members', path: `/tenants/${TENANT}/members`, signedIn: true },
  { name: 'invite', path: `/tenants/${TENANT}/members`, signedIn: true, before: press(/^(Einladen|Invite)$/) },
  { name: 'keys', path: `/tenants/${TENANT}/keys`, signedIn: true },
  { name: 'new-key', path: `/tenants/${TENANT}/keys`, signedIn: true, before: press(/^(Neuer Schlüssel|New key)$/) },
  { name: 'settings', path: `/tenants/${TENANT}/settings`, signedIn: true },
  { name: 'profile', path: '/account', signedIn: true },
  { name: 'security', path: '/account/security', signedIn: true },
  { name: 'authenticator', path: '/account/security', signedIn: true, before: press(/^(Einrichten|Set up)$/) },
  { name: 'sessions', path: '/account/sessions', signedIn: true },
  { name: 'privacy', path: '/account/privacy', signedIn: true },
  { name: 'account-menu', path: '/account', signedIn: true, before: press(/^(Ihr Konto|Your account)$/) },
];

const variants = (['de-DE', 'en-GB'] as const).flatMap((locale) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ locale, colorScheme })),
);

describe.each(variants)('in $locale and $colorScheme', ({ locale, colorScheme }) => {
  test('no page keeps anybody out (WCAG 2.2 AA), asks a stranger or breaks its own rules', async () => {
    await using outside = await rig.visit({ locale, colorScheme });
    await using inside = await rig.visit({ locale, colorScheme, as: ada });
    const faults: object[] = [];
    for (const stop of stops) {
      const { page } = stop.signedIn ? inside : outside;
      await open(page, stop);
      await picture(page, `${stop.name}-${locale}-${colorScheme}`);
      const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
      for (const { id, nodes } of violations) {
        faults.push({ page: stop.name, id, at: nodes.map(({ html }) => html.slice(0, 200)) });
      }
      const lang = await page.evaluate('document.documentElement.lang');
      const scrollWidth = Number(await page.evaluate(WIDTH));
      expect({ page: stop.name, lang, fits: scrollWidth <= 1280 }).toEqual({
        page: stop.name,
        lang: locale.slice(0, 2),
        fits: true,
      });
    }
    expect(faults).toEqual([]);
    for (const { strangers, complaints } of [outside, inside])
      expect({ strangers, complaints }).toEqual({ strangers: [], complaints: [] });
  });
});

test('on a phone, no page is wider than the screen', async () => {
  const viewport = { width: 360, height: 740 };
  await using outside = await rig.visit({ locale: 'de-DE', viewport });
  await using inside = await rig.visit({ locale: 'de-DE', viewport, as: ada });
  for (const stop of stops) {
    const { page } = stop.signedIn ? inside : outside;
    await open(page, stop);
    await picture(page, `${stop.name}-phone`);
    const width = await page.evaluate(WIDTH);
    expect({ page: stop.name, width }).toEqual({ page: stop.name, width: viewport.width });
  }
});

async function open(page: Page, { path: address, before }: Stop): Promise<void> {
  // away first: a change of the fragment alone would not load the page anew
  await page.goto('about:blank');
  await page.goto(rig.url + (typeof address === 'string' ? address : address()));
  await settled(page);
  await before?.(page);
  await settled(page);
}

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(screenshots, 'portal', `${name}.png`), fullPage: true });
}

/** The page has its heading, nothing turns any more, and what fades in has faded in. */
async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  // not waitForFunction: it would need eval, which the pages forbid
  await expect.poll(() => page.evaluate(AT_REST), { timeout: 15_000 }).toBe(true);
}
