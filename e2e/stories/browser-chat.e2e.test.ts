import path from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, screenshots } from '../browser/chromium.ts';
import { budgetOf, settled, topUp } from '../steps/budget.ts';
import { told } from '../steps/chat.ts';
import { bootstrapAccount, tenantYaml, waitServing } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const TENANT = 'browser';
const MODEL = 'gpt-4o-mini';
const PATIENCE_MS = 120_000;
/** Enough for a few short answers of the mini model, and small enough to be spent by a few long ones. */
const BUDGET_NANO_EUR = 40_000_000n;
/** Long answers after which the budget must be spent: each costs about a quarter of it. */
const MAX_ANSWERS = 8;

describe('a person chats in a real browser until the budget is spent', () => {
  let story: Story;
  let host: string;

  beforeAll(async () => {
    story = await openStory();
    const spec = { displayName: 'Browser', branding: { title: 'Browser Chat' }, budget: { monthlyEur: '0.00' } };
    await story.kubectl.apply(tenantYaml(TENANT, spec));
    host = await waitServing(story, TENANT);
    await topUp(story.way, TENANT, BUDGET_NANO_EUR, 'browser-first');
  });

  const picture = (page: Page, name: string) => page.screenshot({ path: path.join(screenshots, `${name}.png`) });

  /** The model's words, not the person's, whose directive quotes them. */
  const answered = (page: Page, text: string) => page.locator('.chat-assistant').getByText(text).last();
  async function send(page: Page, text: string): Promise<void> {
    const input = page.locator('#chat-input');
    await input.waitFor({ timeout: PATIENCE_MS });
    await input.click();
    await page.keyboard.insertText(text);
    await page.keyboard.press('Enter');
  }

  it('signs in over HTTPS, reads a streamed answer, spends the rest, reads the refusal, and chats on after a top-up', async () => {
    const account = await bootstrapAccount(story.kubectl, TENANT);
    await using browser = await openBrowser(story.env);
    const context = await browser.context();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);

    // people come in through the portal; the bootstrap account has the form, which is shown when asked for
    await page.goto(`https://${host}/auth?form=1`);
    await page.locator('input[type=email], input#email').fill(account.email);
    await page.locator('input[type=password]').fill(account.password);
    await picture(page, '1-sign-in');
    await page.keyboard.press('Enter');
    await page.locator('#chat-input').waitFor();

    await page.goto(`https://${host}/?models=${MODEL}`);
    const first = { text: 'Freedom means that your data stays where you say.', chunks: 8, chunkDelayMs: 50 };
    await send(page, told('What does freedom mean?', first));
    await answered(page, first.text).waitFor();
    await picture(page, '2-streamed-answer');
    const spent = await settled(story.way, TENANT, 0n);
    expect(spent.overrun).toBe(0n);

    // each of these answers uses all the tokens it may: a handful of them spends the rest
    let words = '';
    for (let number = 1; number <= MAX_ANSWERS && words === ''; number += 1) {
      const text = `This was long answer number ${number}.`;
      await send(page, told(`Long question ${number}`, { text, completionTokens: 'max' }));
      const answer = answered(page, text);
      const refusal = page.getByText(/used up/i).last();
      await answer.or(refusal).first().waitFor();
      if (await refusal.isVisible()) words = (await refusal.textContent()) ?? '';
      else await settled(story.way, TENANT);
    }
    console.log(`the refusal in the chat: ${words}`);
    expect(words).toMatch(/budget/i);
    await picture(page, '3-refusal');
    const end = await budgetOf(story.way, TENANT);
    expect(end.posted).toBeGreaterThan(spent.posted);
    expect(end.posted).toBeLessThanOrEqual(end.granted);

    await topUp(story.way, TENANT, BUDGET_NANO_EUR, 'browser-second');
    await page.goto(`https://${host}/?models=${MODEL}`);
    const second = { text: 'Welcome back.' };
    await send(page, told('Are you there again?', second));
    await answered(page, second.text).waitFor();
    await picture(page, '4-after-top-up');
  });
});
