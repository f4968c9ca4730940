import { TENANTS } from '@cloudfreedom/control-plane/kubernetes/tenant-resources.ts';
import { mailTo, tokenOf } from '@cloudfreedom/control-plane/testing/account.ts';
import { authoriseBody, OPERATOR_KEY, settleBody, type TestPerson } from '@cloudfreedom/control-plane/testing/api.ts';
import { startTestCluster, type TestCluster } from '@cloudfreedom/control-plane/testing/cluster.ts';
import {
  modelRegistration,
  type TenantSecrets,
  tenantRegistration,
  tenantSecrets,
} from '@cloudfreedom/control-plane/testing/registrations.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PortalRig, startPortalRig, type Visit } from './rig.ts';

const NAME = 'mueller-soehne';
const HOST = `${NAME}.portal-tests.example`;
const REQUEST_ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const PLAN = {
  displayName: 'Professional',
  pricePerMonthNanoEur: '29990000000',
  monthlyBudgetNanoEur: '100000000000',
  maxMembers: 5,
  modelClasses: ['mini', 'full'],
  marginPercent: 20,
};

let kubernetes: TestCluster;
let rig: PortalRig;
let ada: TestPerson;
let bob: TestPerson;
let visit: Visit;
let secrets: TenantSecrets;
beforeAll(async () => {
  kubernetes = await startTestCluster();
  rig = await startPortalRig({ kubernetes: kubernetes.kubeconfigPath });
  const { api } = rig;
  ada = await api.signedIn('ada@example.test', { name: 'Ada Example' });
  bob = await api.signedIn('bob@example.test', { name: 'Bob Example' });
  await api.call('PUT', '/v1/models/small', OPERATOR_KEY, modelRegistration());
  await api.call('PUT', '/v1/plans/professional', OPERATOR_KEY, PLAN);
  await api.call('PUT', '/v1/plans/enterprise', OPERATOR_KEY, {
    ...PLAN,
    displayName: 'Enterprise',
    pricePerMonthNanoEur: null,
    monthlyBudgetNanoEur: null,
    maxMembers: null,
  });
  visit = await rig.visit({ as: ada });
});
afterAll(async () => {
  await visit?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
  await kubernetes?.stop();
});

/** What the operator says of the parts of the tenant. */
async function report(parts: Record<string, [status: 'True' | 'False', reason: string]>): Promise<void> {
  const { apiVersion, kind } = TENANTS;
  const observedGeneration = (await kubernetes.tenant(NAME))?.metadata.generation ?? 1;
  const conditions = Object.entries(parts).map(([type, [status, reason]]) => {
    return { type, status, reason, message: '', observedGeneration, lastTransitionTime: '2026-11-20T10:00:00Z' };
  });
  const status = { observedGeneration, conditions, url: `https://${HOST}/` };
  await kubernetes.cluster.applyStatus(TENANTS, { apiVersion, kind, metadata: { name: NAME }, status }, 'operator');
}

const step = (name: string) => visit.page.getByRole('listitem').filter({ hasText: name });

test('a plan is chosen by its price and what is in it, and the margin is explained', async () => {
  const { page } = visit;
  await page.goto(rig.url);
  await page.getByRole('link', { name: 'Choose a plan and begin' }).click();
  await page.getByText('€29.99').waitFor();
  await page.getByText('€100.00 budget for models per month').waitFor();
  await page.getByText('plus 20 % for operation and development', { exact: false }).waitFor();
  expect(await page.getByRole('radio').count(), 'a plan by agreement is no choice').toBe(1);
});

test('the name makes the address, and one that cannot be had is refused in words', async () => {
  const { page } = visit;
  await page.getByLabel('Name of the workspace').fill('Müller & Söhne');
  expect(await page.getByLabel('Short name').inputValue()).toBe(NAME);
  await page.getByText(HOST).waitFor();
  await page.getByLabel('Short name').fill('api');
  await page.getByRole('button', { name: 'Create workspace' }).click();
  await page.getByText('The platform needs this name itself. Choose another one.').waitFor();
  await page.getByLabel('Short name').fill(NAME);
  await page.getByRole('button', { name: 'Create workspace' }).click();
  await page.getByRole('heading', { name: 'Your workspace is being made' }).waitFor();
  expect((await kubernetes.tenant(NAME))?.spec).toMatchObject({
    displayName: 'Müller & Söhne',
    plan: 'professional',
    owners: [ada.email],
  });
});

test('its making is followed step by step as it happens', async () => {
  await report({ BudgetReady: ['True', 'Registered'], PostgresReady: ['False', 'WaitingForPods'] });
  await step('Budget set up').getByText('done').waitFor();
  await step('Database started').getByText('under way').waitFor();
  await step('Chat started').getByText('to come').waitFor();
  await report({ BudgetReady: ['True', 'Registered'], PostgresReady: ['False', 'PodUnschedulable'] });
  await step('Database started').getByText('stuck').waitFor();
  await visit.page.getByText('No machine of the platform is free right now.', { exact: false }).waitFor();
});

test('once it is ready, the way into the chat is the largest thing on the page', async () => {
  const { page } = visit;
  secrets = tenantSecrets();
  const registration = tenantRegistration(secrets, {
    owners: [ada.email],
    maxMembers: 5,
    displayName: 'Müller & Söhne',
    host: HOST,
  });
  expect((await rig.api.call('PUT', `/v1/tenants/${NAME}`, OPERATOR_KEY, registration)).status).toBe(201);
  await report({ Ready: ['True', 'Available'] });
  await page.getByRole('heading', { name: 'Your chat is ready' }).waitFor();
  expect(await page.getByRole('link', { name: 'Open the chat' }).getAttribute('href')).toBe(`https://${HOST}/`);
  await page.getByRole('heading', { name: 'Müller & Söhne' }).waitFor();
});

test('the budget moves on the page while requests are held and billed', async () => {
  const { page } = visit;
  const { call } = rig.api;
  const figure = (name: string) => page.locator('dl > div').filter({ hasText: name }).locator('dd');
  await figure('spent').getByText('€0.00', { exact: true }).waitFor();
  // the streams tell of an account only what moves after they first saw it
  await expect.poll(async () => (await rig.api.pool.query('select from told')).rowCount).toBe(1);
  const authorised = await call(
    'POST',
    '/v1/gateway/authorise',
    secrets.credential,
    authoriseBody(secrets, REQUEST_ID),
  );
  expect(authorised.status).toBe(200);
  await call('POST', '/v1/gateway/settle', secrets.credential, settleBody(REQUEST_ID));
  await figure('spent').getByText('€0.000318', { exact: true }).waitFor();
  await page.getByRole('row').filter({ hasText: 'small' }).getByText('€0.000318').last().waitFor();
});

test('a key is shown once, with lines to try it, and is gone when it is revoked', async () => {
  const { page } = visit;
  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('button', { name: 'New key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Laptop');
  await dialog.getByRole('button', { name: 'Create key' }).click();
  await dialog.getByText('It is shown this once.', { exact: false }).waitFor();
  const secret = (await dialog.getByRole('region', { name: 'Secret key' }).textContent()) ?? '';
  const curl = (await dialog.getByRole('region', { name: 'curl' }).textContent()) ?? '';
  expect(secret.length).toBeGreaterThan(30);
  expect(curl).toContain(`https://${HOST}/v1/chat/completions`);
  expect(curl).toContain(secret);
  await dialog.getByRole('button', { name: 'I have put it away' }).click();
  await page.getByRole('cell', { name: /^Laptop/ }).waitFor();
  expect(await page.content()).not.toContain(secret);
  await page.getByRole('button', { name: 'Revoke Laptop' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByText('You have no key yet.').waitFor();
});

test('somebody is invited by mail, joins, and can do what their role allows', async () => {
  const { page } = visit;
  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByRole('button', { name: 'Invite' }).click();
  await page.getByLabel('Email address').fill(bob.email);
  await page.getByRole('button', { name: 'Send invitation' }).click();
  await page.getByText(`The invitation to ${bob.email} is on its way.`).waitFor();
  const token = tokenOf(await mailTo(rig.mails, bob.email));
  await using stranger = await rig.visit();
  await stranger.page.goto(`${rig.url}/invitation#token=${token}`);
  await stranger.page.getByRole('link', { name: 'Create an account and accept' }).waitFor();
  await using other = await rig.visit({ as: bob });
  await other.page.goto(`${rig.url}/invitation#token=${token}`);
  await other.page.getByRole('heading', { name: 'Ada Example invites you to “Müller & Söhne”' }).waitFor();
  await other.page.getByRole('button', { name: 'Accept invitation' }).click();
  await other.page.getByRole('link', { name: 'Open the chat' }).waitFor();
  expect(await other.page.getByRole('link', { name: 'Members' }).count(), 'members do not see the list').toBe(0);
  await page.reload();
  await page.getByRole('cell', { name: bob.email }).waitFor();
});

test('a stranger is told nothing of a workspace that is not theirs', async () => {
  const eve = await rig.api.signedIn('eve@example.test');
  await using other = await rig.visit({ as: eve });
  for (const page of ['', '/members', '/settings']) {
    await other.page.goto(`${rig.url}/tenants/${NAME}${page}`);
    await other.page.getByText('There is no such workspace, or you do not belong to it.').waitFor();
  }
});

test('a member who is removed is gone from the list, and the last owner cannot leave', async () => {
  const { page } = visit;
  await page.getByRole('button', { name: 'Actions for Bob Example' }).click();
  await page.getByRole('menuitem', { name: 'Remove from the workspace' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('cell', { name: bob.email }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Leave workspace' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave workspace' }).click();
  await page.getByText('There has to be an owner. Hand the workspace over first.').waitFor();
  await page.keyboard.press('Escape');
});

test('a field that Git holds is shown with the reason and cannot be changed', async () => {
  const { page } = visit;
  await kubernetes.applyAs('argocd', NAME, { dataResidency: 'eu' });
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByText('Managed by argocd.').first().waitFor();
  expect(await page.getByLabel('Models only from').isDisabled()).toBe(true);
});

test('no page asked anybody else for anything, and the browser had nothing to complain about', () => {
  expect(visit.strangers).toEqual([]);
  expect(visit.complaints).toEqual([]);
});
