import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, authoriseBody, settleBody, startApi } from '../testing/api.ts';
import { sha256Hex, type TenantSecrets } from '../testing/registrations.ts';

let api: Api;
let secrets: TenantSecrets;
beforeAll(async () => {
  api = await startApi();
  secrets = await api.tenant('demo');
});
afterAll(() => api.stop());

const at = (rest: string) => `/v1/tenants/demo/${rest}`;
const once = (key: string) => ({ 'idempotency-key': key });

describe('grants', () => {
  const topUp = { source: 'top_up', amountNanoEur: '5000000000', note: 'invoice 7' };

  test('are made once per Idempotency-Key: the same again is 200, another 409', async () => {
    const made = await api.admin('POST', at('grants'), topUp, once('one'));
    expect(made).toMatchObject({ status: 201, body: { grant: { source: 'top_up', amountNanoEur: '5000000000' } } });
    expect(await api.admin('POST', at('grants'), topUp, once('one'))).toMatchObject({ status: 200, body: made.body });
    const other = await api.admin('POST', at('grants'), { ...topUp, amountNanoEur: '1' }, once('one'));
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } });
    expect((await api.admin('POST', at('resets'), {}, once('one'))).status).toBe(409);
    expect((await api.admin('GET', at('budget'))).body).toMatchObject({ grantedNanoEur: '30000000000' });
  });

  test.each([
    [{ ...topUp, amountNanoEur: '0' }, 'amountNanoEur'],
    [{ ...topUp, amountNanoEur: '-5' }, 'amountNanoEur'],
    [{ ...topUp, amountNanoEur: '1.5' }, 'amountNanoEur'],
    [{ ...topUp, amountNanoEur: '99999999999999999' }, 'amountNanoEur'],
    [{ ...topUp, source: 'plan' }, 'source'],
  ])('like %o are refused', async (body, path) => {
    expect(await api.admin('POST', at('grants'), body, once('bad'))).toMatchObject({
      status: 422,
      body: { errors: [{ path }] },
    });
  });

  test('without an Idempotency-Key are refused', async () => {
    expect(await api.admin('POST', at('grants'), topUp)).toMatchObject({
      status: 400,
      body: { code: 'idempotency_key_required' },
    });
  });

  test('that correct downwards never take what is spent or held', async () => {
    const less = (amountNanoEur: string, key: string) =>
      api.admin('POST', at('grants'), { source: 'correction', amountNanoEur }, once(key));
    expect(await less('-99000000000', 'less-1')).toMatchObject({
      status: 409,
      body: { code: 'correction_exceeds_available' },
    });
    expect(await less('-1000000000', 'less-2')).toMatchObject({
      status: 201,
      body: { grant: { amountNanoEur: '-1000000000' } },
    });
    expect((await api.admin('GET', at('grants'))).body.items.map(({ source }: { source: string }) => source)).toEqual([
      'plan',
      'top_up',
      'correction',
    ]);
  });

  test('of a tenant that does not exist are a 404', async () => {
    expect((await api.admin('POST', '/v1/tenants/nobody/grants', topUp, once('x'))).status).toBe(404);
  });
});

describe('users', () => {
  test('are added once per address and listed', async () => {
    const person = { email: 'a@example.test', name: 'A', role: 'owner' };
    expect(await api.admin('POST', at('users'), person)).toMatchObject({ status: 201, body: person });
    const again = await api.admin('POST', at('users'), { ...person, email: 'A@example.test' });
    expect(again).toMatchObject({ status: 409, body: { code: 'user_exists' } });
    expect(await api.admin('POST', at('users'), { ...person, email: 'nonsense' })).toMatchObject({ status: 422 });
    expect((await api.admin('GET', at('users'))).body.items).toMatchObject([person]);
  });
});

describe('keys', () => {
  test('are shown once, work until they are revoked, and cannot be had again', async () => {
    const { status, body: issued } = await api.admin('POST', at('keys'), { name: 'ci' });
    expect(status).toBe(201);
    expect(issued.key).toMatch(/^cf-[A-Za-z0-9_-]{43}$/);
    const listed = (await api.admin('GET', at('keys'))).body.items;
    expect(listed).toMatchObject([{ kind: 'chat' }, { id: issued.id, kind: 'api', revokedAt: null }]);
    expect(JSON.stringify(listed)).not.toContain(issued.key);
    const identify = () =>
      api.call('POST', '/v1/gateway/identify', secrets.credential, { keySha256: sha256Hex(issued.key) });
    expect(await identify()).toMatchObject({ status: 200, body: { kind: 'api', keyId: issued.id, tenant: 'demo' } });
    expect((await api.admin('DELETE', at(`keys/${issued.id}`))).status).toBe(204);
    expect((await identify()).status).toBe(401);
    expect((await api.admin('DELETE', at(`keys/${issued.id}`))).status).toBe(204);
    expect((await api.admin('DELETE', at(`keys/${randomUUID()}`))).status).toBe(404);
  });

  test('of the chat itself cannot be revoked here: they are the operator’s', async () => {
    const [chat] = (await api.admin('GET', at('keys'))).body.items;
    expect((await api.admin('DELETE', at(`keys/${chat.id}`))).status).toBe(404);
  });

  test('expire', async () => {
    const past = { name: 'old', expiresAt: '2020-01-01T00:00:00Z' };
    expect(await api.admin('POST', at('keys'), past)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'expiresAt' }] },
    });
    const expiresAt = new Date(Date.now() + 300).toISOString();
    const { body } = await api.admin('POST', at('keys'), { name: 'short', expiresAt });
    const identify = () =>
      api.call('POST', '/v1/gateway/identify', secrets.credential, { keySha256: sha256Hex(body.key) });
    await expect.poll(async () => (await identify()).status, { timeout: 5000 }).toBe(401);
  });

  test('belong to a user of the same tenant only', async () => {
    await api.tenant('other');
    const { body: stranger } = await api.admin('POST', '/v1/tenants/other/users', {
      email: 's@example.test',
      role: 'user',
    });
    const answer = await api.admin('POST', at('keys'), { name: 'x', userId: stranger.id });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'userId' }] } });
  });
});

describe('lists', () => {
  test('of usage and ledger are paged in strict order, and a reader that follows the cursor misses none', async () => {
    const ids = Array.from({ length: 7 }, () => randomUUID());
    for (const id of ids) {
      await api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, id));
      await api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(id));
    }
    const all = async (list: string) => {
      const items: { requestId?: string; sequence: number }[] = [];
      for (let cursor = ''; ; ) {
        const { body } = await api.admin('GET', at(`${list}?limit=3${cursor}`));
        expect(body.items.length).toBeLessThanOrEqual(3);
        items.push(...body.items);
        if (body.nextCursor === null) return items;
        cursor = `&cursor=${body.nextCursor}`;
      }
    };
    expect((await all('usage')).map(({ requestId }) => requestId)).toEqual(ids);
    const sequences = (await all('ledger')).map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  });

  test.each(['limit=0', 'limit=501', 'limit=many', 'cursor=nonsense', 'page=2'])('refuse ?%s', async (query) => {
    expect((await api.admin('GET', at(`ledger?${query}`))).status).toBe(422);
    expect((await api.admin('GET', at(`users?${query}`))).status).toBe(422);
  });
});
