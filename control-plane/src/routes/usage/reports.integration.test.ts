import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, authoriseBody, settleBody, startApi } from '../../testing/api.ts';
import type { TenantSecrets } from '../../testing/registrations.ts';

/** What one request of settleBody costs on the small model with 20 % margin. */
const COST = 318_378n;

let now = new Date('2026-11-18T10:00:00Z');
let api: Api;
let secrets: TenantSecrets;

const people = [
  { externalId: 'ada', name: '=HYPERLINK("https://evil.example";"x")', email: 'ada@example.test', role: 'user' },
  { externalId: 'bob', name: 'Bob "the builder", Müller', email: 'bob@example.test', role: 'user' },
];

beforeAll(async () => {
  api = await startApi({ now: () => now });
  secrets = await api.tenant('demo');
  await api.tenant('other');
  for (const at of ['2026-11-18T10:00:00Z', '2026-11-18T22:59:59Z', '2026-11-18T23:00:00Z', '2026-11-20T10:00:00Z']) {
    now = new Date(at);
    for (const user of people) await request(user);
  }
});
afterAll(() => api.stop());

async function request(user: object): Promise<void> {
  const id = randomUUID();
  await api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, id, { user }));
  const settled = await api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(id));
  expect(settled.status).toBe(200);
}

const get = (path: string, tenant = 'demo') => api.admin('GET', `/v1/tenants/${tenant}/${path}`);

describe('a summary', () => {
  test('of this month is one sum when nothing else is asked', async () => {
    const { body } = await get('usage/summary');
    expect(body).toEqual({
      items: [
        {
          requests: 8,
          inputTokens: 400,
          cachedInputTokens: 0,
          cacheWriteTokens: 0,
          audioInputTokens: 0,
          outputTokens: 4000,
          audioOutputTokens: 0,
          images: 0,
          costNanoEur: (8n * 265_315n).toString(),
          marginNanoEur: (8n * (COST - 265_315n)).toString(),
          totalNanoEur: (8n * COST).toString(),
          overrunNanoEur: '0',
        },
      ],
      nextCursor: null,
    });
  });

  test('by day and user names both, days in the tenant’s time zone', async () => {
    const { body } = await get('usage/summary?groupBy=day,user&from=2026-11-18&to=2026-11-19');
    expect(body.items.length).toBe(4);
    const found = body.items.map(
      ({ day, user, requests }: { day: string; user: { email: string }; requests: number }) =>
        [day, user.email, requests].join(' '),
    );
    expect(found.sort()).toEqual([
      '2026-11-18 ada@example.test 2',
      '2026-11-18 bob@example.test 2',
      '2026-11-19 ada@example.test 1',
      '2026-11-19 bob@example.test 1',
    ]);
  });

  test('is paged without a gap or a double', async () => {
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await get(`usage/summary?groupBy=user,day&limit=2${cursor}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map((item: { day: string; user: { id: string } }) => `${item.user.id} ${item.day}`));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen.length).toBe(6);
    expect(new Set(seen).size).toBe(6);
  });

  test('by key and model says which', async () => {
    const { body } = await get('usage/summary?groupBy=key,model,modelServed');
    expect(body.items).toMatchObject([
      { key: { name: 'Open WebUI' }, model: 'small', modelServed: 'small', requests: 8 },
    ]);
  });

  test('of another tenant shows nothing of this one', async () => {
    expect((await get('usage/summary', 'other')).body.items).toMatchObject([{ requests: 0, totalNanoEur: '0' }]);
    expect((await get('usage/summary?groupBy=user', 'other')).body.items).toEqual([]);
  });

  test.each([
    'groupBy=colour',
    'groupBy=day,day',
    'from=yesterday',
    'from=2026-11-20&to=2026-11-19',
    'from=2024-01-01&to=2026-01-01',
    'limit=0',
    'cursor=nonsense',
    'groupBy=day&cursor=WyJhIiwiYiJd',
    "groupBy=day'",
    'tenant=other',
  ])('refuses ?%s', async (query) => {
    expect((await get(`usage/summary?${query}`)).status).toBe(422);
  });
});

describe('an export', () => {
  test('as CSV has a line per request, adds up, and holds no formula', async () => {
    const { status, headers, body } = await get('usage/export?from=2026-11-18&to=2026-11-18');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toBe('attachment; filename="usage-demo-2026-11-18-2026-11-18.csv"');
    const [head, ...lines] = body.split('\r\n');
    expect(lines.pop()).toBe('');
    expect(lines.length).toBe(4);
    const column = head.split(',').indexOf('total_eur');
    // The names hold commas inside quotes, so count from the end.
    const fromEnd = column - head.split(',').length;
    expect(lines.map((line: string) => line.split(',').at(fromEnd))).toEqual(Array(4).fill('0.000318378'));
    expect(lines[0]).toContain(`"'=HYPERLINK(""https://evil.example"";""x"")"`);
    expect(lines[1]).toContain('"Bob ""the builder"", Müller"');
    expect(lines.every((line: string) => line.includes(',2026-11-18,'))).toBe(true);
  });

  test('as NDJSON has the very lines of the usage list', async () => {
    const { body, headers } = await get('usage/export?format=ndjson');
    expect(headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = String(body).trimEnd().split('\n');
    const { body: list } = await get('usage');
    expect(lines.map((line) => JSON.parse(line))).toEqual(list.items);
  });

  test('of more lines than one page, from the middle, has every one once', async () => {
    const busy = await api.tenant('busy');
    const id = (await api.admin('GET', '/v1/tenants/busy')).status;
    expect(id).toBe(200);
    now = new Date('2026-11-20T12:00:00Z');
    for (let batch = 0; batch < 11; batch += 1) {
      if (batch === 1) now = new Date('2026-11-20T23:00:00Z');
      await Promise.all(
        Array.from({ length: 60 }, async () => {
          const requestId = randomUUID();
          await api.call('POST', '/v1/gateway/authorise', busy.credential, authoriseBody(busy, requestId));
          await api.call('POST', '/v1/gateway/settle', busy.credential, settleBody(requestId));
        }),
      );
    }
    const { body } = await get('usage/export?format=ndjson&from=2026-11-21', 'busy');
    const sequences = String(body)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).sequence);
    expect(sequences.length).toBe(600);
    expect(new Set(sequences).size).toBe(600);
    const none = await get('usage/export?format=ndjson&from=2026-11-01&to=2026-11-19', 'busy');
    expect(none.body).toBe('');
  });

  test.each(['format=xlsx', 'from=2026-13-01', 'from=2026-11-20&to=2026-11-01', 'x=1'])(
    'refuses ?%s',
    async (query) => {
      expect((await get(`usage/export?${query}`)).status).toBe(422);
    },
  );
});

describe('a forecast', () => {
  test('says what is spent, the rate, and the total to be expected', async () => {
    now = new Date('2026-11-21T10:00:00Z');
    const { status, body } = await get('forecast');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      tenant: 'demo',
      period: '2026-11',
      spentNanoEur: (8n * COST).toString(),
      grantedNanoEur: '25000000000',
      runsOutOn: null,
      resetsAt: '2026-11-30T23:00:00.000Z',
    });
    expect(BigInt(body.expectedTotalNanoEur)).toBeGreaterThan(8n * COST);
  });

  test('of a budget that will not last names the day', async () => {
    const tight = await api.tenant('tight', { monthlyBudgetNanoEur: (COST * 8n).toString() });
    for (let spent = 0; spent < 6; spent += 1) {
      const id = randomUUID();
      await api.call('POST', '/v1/gateway/authorise', tight.credential, authoriseBody(tight, id));
      await api.call('POST', '/v1/gateway/settle', tight.credential, settleBody(id));
    }
    // Six in a day (the tenant is younger), two are left: eight hours.
    expect((await get('forecast', 'tight')).body).toMatchObject({
      runRateNanoEurPerDay: (6n * COST).toString(),
      runsOutOn: '2026-11-21',
    });
  });
});

test.each(['usage/summary', 'usage/export', 'forecast'])(
  '%s of a tenant that does not exist is a 404',
  async (path) => {
    expect(await get(path, 'nobody')).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
  },
);
