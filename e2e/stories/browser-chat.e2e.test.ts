import path from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, screenshots } from '../browser/chromium.ts';
import { until } from '../process/until.ts';
import { budgetOf, topUp } from '../steps/budget.ts';
import { told } from '../steps/chat.ts';
import { bootstrapAccount, chatHost, tenantYaml, waitReady } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const TENANT = 'browser';
const MODEL = 'gpt-4o-mini';
const PATIENCE_MS = 120_000;
/** Enough for a few short answers of the mini model, and small enough to be spent by one long one. */
const BUDGET_NANO_EUR = 40_000_000n;

describe('a person chats in a real browser until the budget is spent', () => {
  let story: Story;

  beforeAll(async () => {
    story = await openStory();
    const spec = { displayName: 'Browser', branding: { title: 'Browser Chat' }, budget: { monthlyEur: '0.00' } };
    await story.kubectl.apply(tenantYaml(TENANT, spec));
    await waitReady(story.kubectl, TENANT);
    await topUp(story.way, TENANT, BUDGET_NANO_EUR, 'browser-first');
  });

  const picture = (page: Page, name: string) => page.screenshot({ path: path.join(screenshots, `${name}.png`) });

  async function send(page: Page, text: string): Promise<void> {
    const input = page.locator('#chat-input');
    await input.waitFor({ timeout: PATIENCE_MS });
    await input.click();
    await page.keyboard.insertText(text);
    await page.keyboard.press('Enter');
  }

  it('signs in over HTTPS, reads a streamed answer, spends the rest, reads the refusal, and chats on after a top-up', async () => {
    const host = await chatHost(story.kubectl, TENANT);
    const account = await bootstrapAccount(story.kubectl, TENANT);
    await using browser = await openBrowser(story.env);
    const context = await browser.context();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);

    await page.goto(`https://${host}/`);
    await page.locator('input[type=email], input#email').fill(account.email);
    await page.locator('input[type=password]').fill(account.password);
    await picture(page, '1-sign-in');
    await page.keyboard.press('Enter');
    await page.locator('#chat-input').waitFor();

    await page.goto(`https://${host}/?models=${MODEL}`);
    const first = { text: 'Freedom means that your data stays where you say.', chunks: 8, chunkDelayMs: 50 };
    await send(page, told('What does freedom mean?', first));
    await page.getByText(first.text).last().waitFor();
    await picture(page, '2-streamed-answer');
    const spent = await until(
      'the posting',
      async () => {
        const budget = await budgetOf(story.way, TENANT);
        return budget.posted > 0n && budget.held === 0n ? budget : undefined;
      },
      { timeoutMs: PATIENCE_MS },
    );
    expect(spent.overrun).toBe(0n);

    // what is left is given back by a correction, so that the next message no longer fits
    const body = { source: 'correction', amountNanoEur: (-spent.available).toString(), note: 'spent to the end' };
    const corrected = await story.way.api('POST', `/v1/tenants/${TENANT}/grants`, body, {
      'idempotency-key': 'browser-end',
    });
    expect(corrected.status).toBe(201);
    await send(page, 'And one more question?');
    const refusal = page.getByText(/budget/i).last();
    await refusal.waitFor();
    const words = await refusal.innerText();
    console.log(`the refusal in the chat: ${words}`);
    expect(words).toMatch(/used up/i);
    await picture(page, '3-refusal');
    expect((await budgetOf(story.way, TENANT)).posted).toBe(spent.posted);

    await topUp(story.way, TENANT, BUDGET_NANO_EUR, 'browser-second');
    await page.goto(`https://${host}/?models=${MODEL}`);
    const second = { text: 'Welcome back.' };
    await send(page, told('Are you there again?', second));
    await page.getByText(second.text).last().waitFor();
    await picture(page, '4-after-top-up');
  });
});
