import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import type { Kubectl } from '../platform/kubectl.ts';
import type { LocalEnv } from '../platform/local-env.ts';
import { type ArrivedMail, mailsOf } from '../platform/neighbours.ts';
import { until } from '../process/until.ts';

/** Milliseconds a mail may take on a busy machine. */
const MAIL_TIMEOUT_MS = 60_000;
/** Milliseconds for a tenant to come up where several do at once. */
const READY_TIMEOUT_MS = 600_000;

/** Somebody who uses the portal. */
export interface PortalPerson {
  name: string;
  email: string;
  password: string;
}

/** A person nobody knows yet; each run of a story meets new ones. */
export function newPerson(name: string): PortalPerson {
  const mark = randomUUID().slice(0, 8);
  return { name, email: `${name.toLowerCase()}-${mark}@people.example`, password: `a long sentence of ${mark}` };
}

/** The newest of at least `count` mails to an address whose text leads to `path` of the portal, and the link. */
export async function mailWithLink(
  { kubectl, env }: { kubectl: Kubectl; env: LocalEnv },
  address: string,
  path: string,
  count = 1,
): Promise<{ mail: ArrivedMail; link: string }> {
  return until(
    `a mail to ${address} that leads to ${path}`,
    async () => {
      const found = (await mailsOf(kubectl, address)).flatMap((mail) =>
        (mail.text.match(/https:\/\/\S+/g) ?? [])
          .filter((link) => link.startsWith(`${env.PORTAL_URL}${path}`))
          .map((link) => ({ mail, link })),
      );
      return found.length < count ? undefined : found.at(-1);
    },
    { timeoutMs: MAIL_TIMEOUT_MS, intervalMs: 1_000 },
  );
}

/** Fills the registration form that the page shows. */
export async function fillRegistration(page: Page, person: PortalPerson): Promise<void> {
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(person.name);
  await page.getByRole('textbox', { name: 'Email address' }).fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('Look into your mail').waitFor();
}

/** Opens the link of the confirmation mail and presses its button, which signs the person in. */
export async function confirmAddress(
  page: Page,
  world: { kubectl: Kubectl; env: LocalEnv },
  person: PortalPerson,
): Promise<void> {
  const { link } = await mailWithLink(world, person.email, '/confirm');
  await page.goto(link);
  await page.getByRole('button', { name: 'Confirm address' }).click();
}

/** Signs in with address and password. */
export async function signIn(page: Page, env: LocalEnv, person: PortalPerson): Promise<void> {
  await page.goto(`${env.PORTAL_URL}/sign-in`);
  await page.getByRole('textbox', { name: 'Email address' }).fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Creates a workspace of a plan and waits, on the page alone, until its chat can be opened. Returns the milliseconds. */
export async function createWorkspace(
  page: Page,
  env: LocalEnv,
  wish: { plan: string; displayName: string; name: string },
): Promise<number> {
  await page.goto(`${env.PORTAL_URL}/tenants/new`);
  // the whole card is the label of its radio button
  await page.getByText(wish.plan, { exact: true }).click();
  await page.getByRole('textbox', { name: 'Name of the workspace' }).fill(wish.displayName);
  await page.getByRole('textbox', { name: 'Short name' }).fill(wish.name);
  const started = Date.now();
  await page.getByRole('button', { name: 'Create workspace' }).click();
  await page.getByText('Your workspace is being made').waitFor();
  await page.getByRole('link', { name: 'Open the chat' }).waitFor({ timeout: READY_TIMEOUT_MS });
  return Date.now() - started;
}
