import { type Api, startApi } from '@cloudfreedom/control-plane/testing/api.ts';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureDebianPackages } from '../images/debian-packages.ts';
import { progress } from '../process/progress.ts';

/** Milliseconds the page may take on a busy machine: it lays out every operation there is. */
const PAGE_TIMEOUT_MS = 120_000;

let api: Api;
let browser: Browser;
beforeAll(async () => {
  await ensureDebianPackages(['chromium'], progress('browser'));
  api = await startApi();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
  });
});
afterAll(async () => {
  await browser?.close();
  await api?.stop();
});

test('the reference shows every group of operations, under its own policy, and asks nobody but us', async () => {
  const page = await browser.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('websocket', (socket) => asked.push(socket.url()));
  const { url } = api.controlPlane;
  const answer = await page.goto(`${url}/docs`, { timeout: PAGE_TIMEOUT_MS });
  expect(answer?.headers()['content-security-policy']).toContain("connect-src 'self'");
  await page.getByRole('heading', { name: 'CloudFreedom API' }).first().waitFor({ timeout: PAGE_TIMEOUT_MS });
  for (const group of ['Tenants', 'Keys', 'Events', 'Members']) {
    await page.getByText(group, { exact: true }).first().waitFor({ timeout: PAGE_TIMEOUT_MS });
  }
  // What is done once the page has nothing else to do counts, too.
  await page.evaluate('new Promise((resolve) => requestIdleCallback(resolve))');
  const ours = asked.filter((address) => !/^(data|blob):/.test(address));
  expect(ours.filter((address) => !address.startsWith(`${url}/`))).toEqual([]);
  expect(ours).toEqual(expect.arrayContaining([`${url}/docs/reference.js`, `${url}/openapi.json`]));
  expect(complaints).toEqual([]);
  await page.close();
});

test('its policy holds for its path only', async () => {
  const policy = async (path: string) =>
    (await fetch(api.controlPlane.url + path)).headers.get('content-security-policy');
  expect(await policy('/docs/start.js')).toContain("default-src 'none'");
  expect(await policy('/openapi.json')).not.toContain("default-src 'none'");
  expect((await fetch(`${api.controlPlane.url}/docs/../../etc/passwd`)).status).toBe(404);
  expect((await fetch(`${api.controlPlane.url}/docs/else`)).status).toBe(404);
  expect((await fetch(`${api.controlPlane.url}/docs`, { method: 'POST' })).status).toBe(405);
});
