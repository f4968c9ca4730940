import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { ADMIN_KEY, type Api, authoriseBody, settleBody, startApi } from '../testing/api.ts';
import { readEvents } from '../testing/event-reader.ts';
import { type HookReceiver, type MailCatcher, startHookReceiver, startMailCatcher } from '../testing/receivers.ts';
import { sha256Hex, type TenantSecrets } from '../testing/registrations.ts';

/** What one request of settleBody costs on the small model with 20 % margin. */
const COST = 318_378n;

let databases: TestDatabases;
let mails: MailCatcher;
let receiver: HookReceiver;
beforeAll(async () => {
  databases = await startTestDatabases();
  mails = await startMailCatcher();
  receiver = await startHookReceiver();
});
afterAll(async () => {
  await mails.close();
  await receiver.close();
  await databases.stop();
});

let databaseUrl: string;
let api: Api;
beforeEach(async () => {
  mails.mails.length = 0;
  receiver.hooks.length = 0;
  databaseUrl = await databases.clone();
  api = await start();
});
afterEach(() => api.stop());

const start = (more: Parameters<typeof startApi>[0] = {}) =>
  startApi({ databaseUrl, smtpUrl: mails.url, webhookTrustedHosts: [receiver.host], ...more });

/** One request, from authorise to settlement. */
async function spend(secrets: TenantSecrets, more: object = {}): Promise<void> {
  const id = randomUUID();
  const authorised = await api.call(
    'POST',
    '/v1/gateway/authorise',
    secrets.credential,
    authoriseBody(secrets, id, more),
  );
  expect(authorised.status).toBe(200);
  const settled = await api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(id));
  expect(settled).toMatchObject({ status: 200, body: { postedNanoEur: COST.toString() } });
}

const alertsOf = async (tenant: string) => (await api.admin('GET', `/v1/tenants/${tenant}/alerts`)).body.items;
const states = (items: { deliveries: { channel: string; state: string }[] }[]) =>
  items.flatMap(({ deliveries }) => deliveries.map(({ channel, state }) => `${channel} ${state}`));

const thresholdOf = (event: unknown) => (event as { data: { thresholdPercent: number } }).data.thresholdPercent;

describe('a tenant’s thresholds', () => {
  test('are told once each, by mail, signed webhook and stream', async () => {
    const budget = (COST * 5n).toString();
    const secrets = await api.tenant('demo', {
      monthlyBudgetNanoEur: budget,
      language: 'de',
      owners: ['ada@example.test', 'bob@example.test'],
    });
    const { body: webhook } = await api.admin('PUT', '/v1/tenants/demo/webhook', { url: `${receiver.url}/hook` });
    const stream = await readEvents(
      `${api.controlPlane.url}/v1/tenants/demo/events?types=budget.threshold_reached`,
      ADMIN_KEY,
    );
    // 20, 40, 60, 80 %: the last one just reaches its threshold.
    for (let request = 0; request < 4; request += 1) await spend(secrets);
    const expected = [
      { scope: 'tenant', thresholdPercent: 50, spentNanoEur: (COST * 3n).toString(), budgetNanoEur: budget },
      { scope: 'tenant', thresholdPercent: 80, spentNanoEur: (COST * 4n).toString(), budgetNanoEur: budget },
    ];
    expect(await alertsOf('demo')).toMatchObject(expected);
    await expect
      .poll(async () => states(await alertsOf('demo')))
      .toEqual(Array(2).fill(['mail delivered', 'mail delivered', 'webhook delivered']).flat());
    expect(mails.mails.map(({ to, subject }) => [[to].flat()[0]?.text, subject]).sort()).toEqual([
      ['ada@example.test', 'Demo: 50 % des Budgets sind verbraucht'],
      ['ada@example.test', 'Demo: 80 % des Budgets sind verbraucht'],
      ['bob@example.test', 'Demo: 50 % des Budgets sind verbraucht'],
      ['bob@example.test', 'Demo: 80 % des Budgets sind verbraucht'],
    ]);
    expect(receiver.hooks.length).toBe(2);
    const verifier = new Webhook(webhook.secret);
    const told = receiver.hooks
      .map(({ body, headers }) => verifier.verify(body, headers as Record<string, string>))
      // two deliveries under way at once may arrive in either order
      .sort((one, other) => thresholdOf(one) - thresholdOf(other));
    expect(told).toMatchObject(
      expected.map((data) => ({ type: 'budget.threshold_reached', data: { tenant: 'demo', ...data } })),
    );
    await expect
      .poll(() => stream.events)
      .toMatchObject([
        { type: 'budget.threshold_reached', data: expected[0] },
        { type: 'budget.threshold_reached', data: expected[1] },
      ]);
    stream.close();
  });

  test('that one posting jumps over are all told, and a top-up does not make them new', async () => {
    const secrets = await api.tenant('demo', { monthlyBudgetNanoEur: '636756' });
    await spend(secrets);
    expect((await alertsOf('demo')).map((alert: { thresholdPercent: number }) => alert.thresholdPercent)).toEqual([50]);
    const topUp = { source: 'top_up', amountNanoEur: '636756' };
    await api.admin('POST', '/v1/tenants/demo/grants', topUp, { 'idempotency-key': 'one' });
    for (let request = 0; request < 2; request += 1) await spend(secrets);
    expect((await alertsOf('demo')).map((alert: { thresholdPercent: number }) => alert.thresholdPercent)).toEqual([50]);
  });

  test('are told once when twenty requests cross them at the same time', async () => {
    const secrets = await api.tenant('demo', { monthlyBudgetNanoEur: (COST * 40n).toString() });
    await Promise.all(Array.from({ length: 20 }, () => spend(secrets)));
    expect((await alertsOf('demo')).map((alert: { thresholdPercent: number }) => alert.thresholdPercent)).toEqual([50]);
  });

  test('that cannot be written fail no settlement, and are told with the next', async () => {
    const secrets = await api.tenant('demo', { monthlyBudgetNanoEur: (COST * 5n).toString() });
    const pool = openPool({ url: databaseUrl, onError: () => {} });
    await pool.query('alter table delivery add constraint broken check (false)');
    for (let request = 0; request < 3; request += 1) await spend(secrets);
    expect(await alertsOf('demo')).toEqual([]);
    await pool.query('alter table delivery drop constraint broken');
    await pool.end();
    await spend(secrets);
    expect(await alertsOf('demo')).toMatchObject([{ thresholdPercent: 50 }, { thresholdPercent: 80 }]);
  });

  test('are the tenant’s own; none means no alert', async () => {
    const budget = { monthlyBudgetNanoEur: (COST * 3n).toString() };
    const quiet = await api.tenant('quiet', { ...budget, alertThresholdsPercent: [] });
    const early = await api.tenant('early', { ...budget, alertThresholdsPercent: [10, 33, 34] });
    await spend(quiet);
    await spend(early);
    expect(await alertsOf('quiet')).toEqual([]);
    expect(await alertsOf('early')).toMatchObject([{ thresholdPercent: 10 }, { thresholdPercent: 33 }]);
  });
});

test('a new period, by the clock of the tenant’s time zone, tells them anew', async () => {
  let now = new Date('2026-11-30T22:59:59Z');
  await api.stop();
  api = await start({ now: () => now });
  const secrets = await api.tenant('demo', {
    monthlyBudgetNanoEur: (COST * 3n).toString(),
    alertThresholdsPercent: [30],
  });
  await spend(secrets);
  now = new Date('2026-11-30T23:00:00Z');
  await spend(secrets);
  expect(await alertsOf('demo')).toMatchObject([{ period: '2026-11' }, { period: '2026-12' }]);
});

describe('the budgets of users and keys', () => {
  test('are told with their name, beside the tenant’s', async () => {
    const secrets = await api.tenant('demo', { memberBudgetNanoEur: (COST * 4n).toString() });
    await spend(secrets);
    await spend(secrets);
    expect(await alertsOf('demo')).toMatchObject([
      { scope: 'user', thresholdPercent: 50, budgetNanoEur: (COST * 4n).toString() },
    ]);
    await expect
      .poll(() => mails.mails.map(({ subject }) => subject))
      .toEqual(['Demo: 50% of the budget of Person has been spent']);
  });

  test('of a key likewise', async () => {
    const secrets = await api.tenant('demo', { keyBudgetNanoEur: (COST * 4n).toString() });
    const { body: key } = await api.admin('POST', '/v1/tenants/demo/keys', { name: 'ci' });
    const call = { keySha256: sha256Hex(key.key), user: undefined };
    await spend(secrets, call);
    await spend(secrets, call);
    expect(await alertsOf('demo')).toMatchObject([{ scope: 'key', subjectId: key.id, thresholdPercent: 50 }]);
  });
});

describe('a delivery', () => {
  const half = { monthlyBudgetNanoEur: (COST * 2n + 700_000n).toString(), alertThresholdsPercent: [10] };

  test('that was interrupted by a crash is made by whoever is there next', async () => {
    const secrets = await api.tenant('demo', half);
    await api.stop();
    // Nobody delivers: the posting comes by another way than a control plane with workers.
    const pool = openPool({ url: databaseUrl, onError: () => {} });
    api = await start({ smtpUrl: 'smtp://127.0.0.1:1' });
    await spend(secrets);
    await api.stop();
    // A process took it and died: its time runs out.
    await pool.query(`update delivery set state = 'pending', ended_at = null, attempts = 1,
      taken_until = clock_timestamp() - interval '1 second', next_attempt_at = clock_timestamp() - interval '1 second'`);
    await pool.end();
    expect(mails.mails).toEqual([]);
    api = await start();
    await expect.poll(() => mails.mails.length).toBe(1);
    await expect.poll(async () => states(await alertsOf('demo'))).toEqual(['mail delivered']);
  });

  test('is repeated with the same id when the receiver fails', async () => {
    const secrets = await api.tenant('demo', { ...half, owners: [] });
    await api.admin('PUT', '/v1/tenants/demo/webhook', { url: receiver.url });
    receiver.answers.push(500);
    await spend(secrets);
    await expect
      .poll(async () => (await alertsOf('demo'))[0]?.deliveries)
      .toMatchObject([{ state: 'pending', attempts: 1, lastError: 'the receiver answered 500' }]);
    const pool = openPool({ url: databaseUrl, onError: () => {} });
    await pool.query('update delivery set next_attempt_at = clock_timestamp()');
    await pool.query(`notify cloudfreedom_delivery`);
    await expect.poll(() => receiver.hooks.length).toBe(2);
    expect(new Set(receiver.hooks.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await expect.poll(async () => states(await alertsOf('demo'))).toEqual(['webhook delivered']);
    await pool.end();
  });

  test('that the receiver wants no more of is given up, and so is mail without a mail server', async () => {
    await api.stop();
    api = await startApi({ databaseUrl, webhookTrustedHosts: [receiver.host] });
    const secrets = await api.tenant('demo', half);
    await api.admin('PUT', '/v1/tenants/demo/webhook', { url: receiver.url });
    receiver.answers.push(410);
    await spend(secrets);
    await expect.poll(async () => states(await alertsOf('demo'))).toEqual(['mail failed', 'webhook failed']);
    expect((await alertsOf('demo'))[0].deliveries).toMatchObject([
      { lastError: 'the platform has no mail server configured' },
      { lastError: 'the receiver answered 410: it wants no more' },
    ]);
  });

  test('into a private network is refused at the moment of sending, and the reason is shown', async () => {
    await api.stop();
    api = await start({ webhookTrustedHosts: [] });
    const secrets = await api.tenant('demo', { ...half, owners: [] });
    const { status } = await api.admin('PUT', '/v1/tenants/demo/webhook', { url: 'https://localhost/' });
    expect(status).toBe(201);
    await spend(secrets);
    await expect
      .poll(async () => (await alertsOf('demo'))[0]?.deliveries)
      .toMatchObject([
        { state: 'pending', lastError: 'the address is refused: its name leads into a private network' },
      ]);
  });
});

test('an erased tenant leaves no address of owners or webhook, in no table, and nothing is delivered any more', async () => {
  await api.stop();
  api = await start({ smtpUrl: 'smtp://127.0.0.1:1' });
  const secrets = await api.tenant('demo', {
    monthlyBudgetNanoEur: (COST * 4n).toString(),
    alertThresholdsPercent: [10],
    owners: ['canary@example.test'],
  });
  await api.admin('PUT', '/v1/tenants/demo/webhook', { url: 'https://canary.example.test/hook' });
  await spend(secrets);
  expect(await alertsOf('demo')).toMatchObject([{ deliveries: [{}, {}] }]);
  expect((await api.admin('DELETE', '/v1/tenants/demo?data=erase')).status).toBe(204);
  const pool = openPool({ url: databaseUrl, onError: () => {} });
  const { rows } = await pool.query<{ found: string }>(`
    select table_name as found from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE'
      and query_to_xml(format('select * from %I', table_name), true, false, '')::text like '%canary%'`);
  expect(rows).toEqual([]);
  expect((await pool.query(`select from delivery where state = 'pending'`)).rowCount).toBe(0);
  await pool.end();
});
