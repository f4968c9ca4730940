import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type OpenAI from 'openai';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type RealBrowser, screenshots } from '../browser/chromium.ts';
import { until } from '../process/until.ts';
import { budgetOf, settled } from '../steps/budget.ts';
import { ask, told } from '../steps/chat.ts';
import {
  confirmAddress,
  createWorkspace,
  fillRegistration,
  mailWithLink,
  newPerson,
  type PortalPerson,
  signIn,
} from '../steps/portal.ts';
import { retire } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const PATIENCE_MS = 120_000;
/** Milliseconds after which a revoked key must be refused. */
const REVOCATION_LIMIT_MS = 1_000;
const TENANT = `ada-${Date.now().toString(36)}`;
const MODEL = 'gpt-4o-mini';
const namespace = `tenant-${TENANT}`;
const PSQL = ['psql', '-U', 'openwebui', '-d', 'openwebui', '-tAc'];

describe('a person registers, gets a budget, and uses the AI chat', () => {
  let story: Story;
  let browser: RealBrowser;
  let host: string;
  let ada: Visitor;
  let grace: Visitor;
  const visitors: Visitor[] = [];

  /** Somebody at a browser of their own. */
  interface Visitor {
    person: PortalPerson;
    context: BrowserContext;
    page: Page;
  }

  async function visitor(name: string): Promise<Visitor> {
    const context = await browser.context();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const come = { person: newPerson(name), context, page };
    visitors.push(come);
    return come;
  }

  const picture = (page: Page, name: string) => page.screenshot({ path: path.join(screenshots, `person-${name}.png`) });
  const portal = (way: string) => `${story.env.PORTAL_URL}${way}`;

  async function say(page: Page, text: string, answer: string): Promise<void> {
    const input = page.locator('#chat-input');
    await input.waitFor();
    await input.click();
    await page.keyboard.insertText(told(text, { text: answer, chunks: 5, chunkDelayMs: 30 }));
    await page.keyboard.press('Enter');
    await page.locator('.chat-assistant').getByText(answer).last().waitFor();
  }

  /** Steps from the portal into the chat, where nobody is asked for a password again. */
  async function openChat(page: Page): Promise<void> {
    await page.goto(portal(`/tenants/${TENANT}`));
    await page.getByRole('link', { name: 'Open the chat' }).click();
    await page.locator('#chat-input').waitFor();
    expect(new URL(page.url()).host).toBe(host);
    await page.goto(`https://${host}/?models=${MODEL}`);
  }

  /** What the chat answers to its own page's questions with this browser's cookies. */
  async function chatStatus({ context }: Visitor): Promise<number> {
    const token = (await context.cookies(`https://${host}`)).find(({ name }) => name === 'token')?.value ?? '';
    const headers = { authorization: `Bearer ${token}` };
    return (await story.way.call('GET', `https://${host}/api/v1/auths/`, undefined, headers)).status;
  }

  async function invite(page: Page, person: PortalPerson): Promise<void> {
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByRole('textbox', { name: 'Email address' }).fill(person.email);
    await page.getByRole('button', { name: 'Send invitation' }).click();
    await page.getByText(`The invitation to ${person.email} is on its way.`).waitFor();
  }

  /** Has the job that exports and erases chats look now, and waits for its end. */
  async function runChatData(): Promise<void> {
    const job = `chat-data-${Date.now().toString(36)}`;
    await story.kubectl('create', 'job', job, '--from=cronjob/chat-data', '-n', namespace);
    await until(
      'the job of chat data to end',
      async () => {
        // one that succeeded is taken away by its CronJob, one that failed stays
        const found = await story.kubectl('get', 'job', job, '-n', namespace, '--ignore-not-found', '-o', 'json');
        const { succeeded, failed } = found === '' ? { succeeded: 1 } : JSON.parse(found).status;
        if (failed) throw new Error(await story.kubectl('logs', `job/${job}`, '-n', namespace));
        return succeeded ? true : undefined;
      },
      { timeoutMs: PATIENCE_MS },
    );
  }

  beforeAll(async () => {
    story = await openStory();
    browser = await openBrowser(story.env);
    host = `${TENANT}.${story.env.BASE_DOMAIN}`;
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await retire(story.kubectl, TENANT);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    for (const { person, page } of visitors) await picture(page, `${person.name}-where-it-failed`).catch(() => {});
  });

  it('registers, confirms by the mail that arrived, chooses a plan and watches the workspace become ready', async () => {
    ada = await visitor('Ada');
    await ada.page.goto(portal('/register'));
    await fillRegistration(ada.page, ada.person);
    await confirmAddress(ada.page, story, ada.person);
    await ada.page.getByText('Welcome to CloudFreedom').waitFor();
    await picture(ada.page, '1-welcome');
    const wish = { plan: 'Professional', displayName: 'Ada and friends', name: TENANT };
    const took = await createWorkspace(ada.page, story.env, wish);
    console.log(`from "create" to a chat that opens: ${(took / 1000).toFixed(1)} s`);
    await picture(ada.page, '2-ready');
  });

  it('clicks into the chat without another password, reads an answer, and watches the budget move', async () => {
    const overview = await ada.context.newPage();
    await overview.goto(portal(`/tenants/${TENANT}`));
    const spent = overview.locator('dt', { hasText: 'spent' }).locator('xpath=following-sibling::dd');
    await spent.waitFor();
    expect(await spent.textContent()).toMatch(/€0\.00/);
    await openChat(ada.page);
    await say(ada.page, 'What is a budget?', 'A promise that is kept.');
    await picture(ada.page, '3-chat');
    const budget = await settled(story.way, TENANT, 0n);
    expect(budget.posted).toBeLessThanOrEqual(budget.granted);
    await until(
      'the budget to move on the page, which is not loaded anew',
      async () => (/€0\.00$/.test((await spent.textContent()) ?? '') ? undefined : true),
      { timeoutMs: PATIENCE_MS },
    );
    await picture(overview, '4-budget');
    await overview.close();
  });

  it('makes a key, calls the API with the openai client, and is refused a moment after revoking it', async () => {
    await ada.page.goto(portal(`/tenants/${TENANT}/keys`));
    await ada.page.getByRole('button', { name: 'New key', exact: true }).click();
    await ada.page.getByRole('textbox', { name: 'Name' }).fill('Laptop');
    await ada.page.getByRole('button', { name: 'Create key' }).click();
    const secret = await ada.page
      .getByText(/^cf-[\w-]{40,}$/)
      .first()
      .textContent();
    await picture(ada.page, '5-key');
    const client: OpenAI = story.way.openai(host, secret ?? '');
    expect(await ask(client, MODEL, told('By key', { text: 'Good morning.' }))).toMatchObject({
      text: 'Good morning.',
    });

    await ada.page.getByRole('button', { name: 'I have put it away' }).click();
    await ada.page.getByRole('button', { name: 'Revoke Laptop' }).click();
    const answered = ada.page.waitForResponse((response) => response.request().method() === 'DELETE');
    await ada.page
      .getByRole('alertdialog')
      .or(ada.page.getByRole('dialog'))
      .getByRole('button', { name: 'Revoke' })
      .click();
    await answered;
    const started = Date.now();
    for (let refused = false; !refused; ) {
      const outcome = await ask(client, MODEL, told('Still there?', { text: 'Yes.' }));
      refused = 'refusal' in outcome && outcome.refusal.status === 401;
      expect(Date.now() - started, 'milliseconds since the revocation').toBeLessThan(REVOCATION_LIMIT_MS);
    }
    console.log(`refused ${Date.now() - started} ms after the revocation was answered`);
  });

  it('invites a second person, who registers, joins and chats', async () => {
    grace = await visitor('Grace');
    await ada.page.goto(portal(`/tenants/${TENANT}/members`));
    await invite(ada.page, grace.person);
    await picture(ada.page, '6-members');

    const { link } = await mailWithLink(story, grace.person.email, '/invitation');
    await grace.page.goto(link);
    await grace.page.getByText('Ada and friends').first().waitFor();
    await picture(grace.page, '7-invitation');
    await grace.page.getByRole('link', { name: 'Create an account and accept' }).click();
    await fillRegistration(grace.page, grace.person);
    await confirmAddress(grace.page, story, grace.person);
    const accept = grace.page.getByRole('button', { name: 'Accept invitation' });
    await accept.waitFor();
    await accept.click();
    await grace.page.getByRole('link', { name: 'Open the chat' }).waitFor();
    await openChat(grace.page);
    await say(grace.page, 'May I, too?', 'You may.');
  });

  it('turns away a person who does not belong to the workspace', async () => {
    const eve = await visitor('Eve');
    await eve.page.goto(portal('/register'));
    await fillRegistration(eve.page, eve.person);
    await confirmAddress(eve.page, story, eve.person);
    await eve.page.getByText('Welcome to CloudFreedom').waitFor();
    await eve.page.goto(`https://${host}/`);
    await eve.page.waitForURL(/error=/);
    await picture(eve.page, '8-outsider');
    expect(await eve.page.locator('#chat-input').count()).toBe(0);
    expect(await chatStatus(eve)).toBe(401);
    await eve.page.goto(portal(`/tenants/${TENANT}/members`));
    await eve.page.getByText('There is no such workspace, or you do not belong to it.').first().waitFor();
    await eve.context.close();
  });

  it('removes a member, whose chat ends at once', async () => {
    expect(await chatStatus(grace)).toBe(200);
    await ada.page.goto(portal(`/tenants/${TENANT}/members`));
    await ada.page.getByRole('button', { name: 'Actions for Grace' }).click();
    await ada.page.getByRole('menuitem', { name: 'Remove from the workspace' }).click();
    await ada.page.getByRole('button', { name: 'Remove', exact: true }).last().click();
    await until(
      'the removed member’s chat to end',
      async () => ((await chatStatus(grace)) === 401 ? true : undefined),
      { timeoutMs: PATIENCE_MS },
    );
    await grace.page.goto(`https://${host}/`);
    await grace.page.waitForURL(/error=/);
  });

  it('has a member back, who takes a copy of all that is stored, chats included', async () => {
    await ada.page.goto(portal(`/tenants/${TENANT}/members`));
    await invite(ada.page, grace.person);
    const { link } = await mailWithLink(story, grace.person.email, '/invitation', 2);
    await grace.page.goto(link);
    await grace.page.getByRole('button', { name: 'Accept invitation' }).click();
    await grace.page.getByRole('link', { name: 'Open the chat' }).waitFor();

    await grace.page.goto(portal('/account/privacy'));
    await grace.page.getByRole('button', { name: 'Collect chats' }).click();
    // the CronJob may have looked in this very moment
    await grace.page.getByText(/^(being collected|in the copy)$/).waitFor();
    await runChatData();
    await picture(grace.page, '9-my-data');
    const download = grace.page.waitForEvent('download');
    await grace.page.getByRole('link', { name: 'Download' }).click();
    const copy = JSON.parse(await readFile(await (await download).path(), 'utf8'));
    expect(JSON.stringify(copy)).toContain(grace.person.email);
    expect(JSON.stringify(copy.chats)).toContain('May I, too?');
    expect(JSON.stringify(copy)).not.toContain('What is a budget?');
  });

  it('forgets a member who wishes it, in the chat too', async () => {
    await grace.page.goto(portal('/account/privacy'));
    await grace.page.getByRole('button', { name: 'Delete account …' }).click();
    await grace.page.getByRole('textbox', { name: 'Enter your email address to confirm' }).fill(grace.person.email);
    await grace.page.getByRole('button', { name: 'Delete for good' }).click();
    await grace.page.getByText('Your account is being deleted').waitFor();
    await runChatData();
    const who = (email: string) => `select count(*) from "user" where email = '${email}'`;
    const query = async (sql: string) =>
      (await story.kubectl('exec', '-n', namespace, 'statefulset/postgres', '--', ...PSQL, sql)).trim();
    expect(await query(who(grace.person.email))).toBe('0');
    expect(await query("select count(*) from chat where chat::text like '%May I, too?%'")).toBe('0');
    expect(await query(who(ada.person.email))).toBe('1');
    await signIn(grace.page, story.env, grace.person);
    await grace.page.getByText(/do not belong together/).waitFor();
    await grace.context.close();
  });

  it.each(['Google', 'GitHub', 'GitLab'])('signs in with an account of %s', async (provider) => {
    const guest = await visitor(provider);
    await guest.page.goto(portal('/sign-in'));
    await guest.page.getByRole('link', { name: `Continue with ${provider}` }).click();
    await guest.page.getByLabel('E-mail').fill(guest.person.email);
    await guest.page.getByLabel('Name').fill(guest.person.name);
    await guest.page.getByRole('button', { name: 'Continue' }).click();
    await guest.page.getByRole('checkbox').check();
    await guest.page.getByRole('button', { name: 'Create account' }).click();
    await guest.page.getByText('Welcome to CloudFreedom').waitFor();
    await guest.context.close();
  });

  it('signs out and in again, and everything is still there', async () => {
    await ada.page.goto(portal('/'));
    const budget = await budgetOf(story.way, TENANT);
    await ada.context.clearCookies();
    await signIn(ada.page, story.env, ada.person);
    await ada.page.getByText('Ada and friends').first().waitFor();
    expect((await budgetOf(story.way, TENANT)).posted).toBe(budget.posted);
  });
});
