import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TenantRegistration } from '../catalogue/registrations.ts';
import { type Api, authoriseBody, settleBody, startApi } from '../testing/api.ts';
import { sha256Hex } from '../testing/registrations.ts';

/** What authoriseBody may cost at most, and what settleBody does cost. */
const HOLD = 636_756;
const COST = '318378';

let api: Api;
let count = 0;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** A tenant with the calls that its gateway and its administrator make. */
async function tenant(more: Partial<TenantRegistration> = {}) {
  count += 1;
  const name = `tenant-${count}`;
  const secrets = await api.tenant(name, more);
  const at = (rest: string) => `/v1/tenants/${name}/${rest}`;
  return {
    ask: (extra: object = {}, id: string = randomUUID()) =>
      api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, id, extra)),
    settle: (id: string) => api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(id)),
    get: async (rest: string) => (await api.admin('GET', at(rest))).body,
    post: (rest: string, body: object, key: string = randomUUID()) =>
      api.admin('POST', at(rest), body, { 'idempotency-key': key }),
    patch: (rest: string, body: object) => api.admin('PATCH', at(rest), body),
  };
}

const refused = (scope: string) => ({ status: 402, body: { code: 'budget_spent', scope } });

describe('a user’s budget', () => {
  test('is the tenant’s default until it is set, counts at once, and null gives the default back', async () => {
    const of = await tenant({ memberBudgetNanoEur: '1' });
    expect(await of.ask()).toMatchObject(refused('user'));
    const [user] = (await of.get('users')).items;
    expect(user).toMatchObject({ externalId: 'user-1', monthlyBudgetNanoEur: null });
    const more = await of.patch(`users/${user.id}`, { monthlyBudgetNanoEur: String(2 * HOLD) });
    expect(more).toMatchObject({ status: 200, body: { id: user.id, monthlyBudgetNanoEur: String(2 * HOLD) } });
    expect((await of.ask()).status).toBe(200);
    await of.patch(`users/${user.id}`, { monthlyBudgetNanoEur: null });
    expect(await of.ask()).toMatchObject(refused('user'));
  });

  test('is refused when it is no amount, or the user is not one of this tenant', async () => {
    const [own, other] = [await tenant(), await tenant()];
    await other.ask();
    const [stranger] = (await other.get('users')).items;
    const answer = await own.patch(`users/${stranger.id}`, { monthlyBudgetNanoEur: '1' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'user_unknown' } });
    for (const monthlyBudgetNanoEur of ['-1', '1.5', 5, undefined]) {
      expect((await other.patch(`users/${stranger.id}`, { monthlyBudgetNanoEur })).status).toBe(422);
    }
  });
});

describe('a key’s budget', () => {
  test('stops the key alone; the chat’s own key cannot have one', async () => {
    const of = await tenant();
    const { body: key } = await of.post('keys', { name: 'ci' });
    const set = await of.patch(`keys/${key.id}`, { monthlyBudgetNanoEur: '1' });
    expect(set).toMatchObject({ status: 200, body: { id: key.id, monthlyBudgetNanoEur: '1' } });
    expect(await of.ask({ keySha256: sha256Hex(key.key), user: undefined })).toMatchObject(refused('key'));
    expect((await of.ask()).status).toBe(200);
    const chat = (await of.get('keys')).items.find(({ kind }: { kind: string }) => kind === 'chat');
    expect(await of.patch(`keys/${chat.id}`, { monthlyBudgetNanoEur: '1' })).toMatchObject({
      status: 404,
      body: { code: 'key_unknown' },
    });
  });
});

describe('the ledger', () => {
  test('names user and key of each line, and the figures of the budget that refused', async () => {
    const of = await tenant({ memberBudgetNanoEur: '1' });
    await of.ask();
    const [user] = (await of.get('users')).items;
    expect((await of.get('ledger')).items.at(-1)).toMatchObject({
      kind: 'refuse',
      reason: 'spent',
      userId: user.id,
      refusedBy: { scope: 'user', budgetNanoEur: '1', postedNanoEur: '0', heldNanoEur: '0' },
    });
  });
});

describe('seats', () => {
  test('that are all taken: no further user, neither added nor by the chat', async () => {
    const of = await tenant({ maxMembers: 1 });
    expect((await of.ask()).status).toBe(200);
    const added = await of.post('users', { email: 'second@example.test', role: 'user' });
    expect(added).toMatchObject({ status: 409, body: { code: 'seats_taken' } });
    const newcomer = { user: { externalId: 'user-2', email: 'two@example.test' } };
    expect(await of.ask(newcomer)).toMatchObject({ status: 403, body: { code: 'seats_taken' } });
    expect((await of.get('users')).items).toHaveLength(1);
  });
});

describe('a grant', () => {
  test('may have a priority and an expiry, and shows both', async () => {
    const of = await tenant();
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const grant = { source: 'promotion', amountNanoEur: '5', priority: 7, expiresAt };
    expect(await of.post('grants', grant)).toMatchObject({ status: 201, body: { grant } });
    expect((await of.get('grants')).items.at(-1)).toMatchObject(grant);
  });

  test('that has expired already, or takes money and expires, is refused', async () => {
    const of = await tenant();
    const past = { source: 'top_up', amountNanoEur: '5', expiresAt: '2020-01-01T00:00:00Z' };
    expect(await of.post('grants', past)).toMatchObject({ status: 422, body: { errors: [{ path: 'expiresAt' }] } });
    const odd = { source: 'correction', amountNanoEur: '-5', priority: 1 };
    expect(await of.post('grants', odd)).toMatchObject({ status: 422, body: { errors: [{ path: 'amountNanoEur' }] } });
  });
});

describe('a reversal', () => {
  test('takes back a posting by a line of its own, once per Idempotency-Key', async () => {
    const of = await tenant();
    const id = randomUUID();
    await of.ask({}, id);
    await of.settle(id);
    const post = (await of.get('ledger')).items.find(({ kind }: { kind: string }) => kind === 'post');
    const body = { sequence: post.sequence, note: 'the answer was empty' };
    const made = await of.post('reversals', body, 'once');
    const reversal = { reverses: post.sequence, amountNanoEur: COST, note: 'the answer was empty' };
    expect(made).toMatchObject({ status: 201, body: { reversal } });
    expect(await of.post('reversals', body, 'once')).toMatchObject({ status: 200, body: made.body });
    expect(await of.get('budget')).toMatchObject({ postedNanoEur: '0' });
    expect((await of.get('ledger')).items.at(-1)).toMatchObject({
      kind: 'refund',
      amountNanoEur: COST,
      reverses: post.sequence,
      lots: [{ drawnNanoEur: `-${COST}` }],
    });
  });

  test.each([
    ['of more than the line moved', { sequence: 2, amountNanoEur: '6' }, 409, 'reversal_exceeds_line'],
    ['of the plan’s own grant', { sequence: 1 }, 409, 'not_reversible'],
    ['of a line that is not there', { sequence: 99 }, 404, 'line_unknown'],
    ['of nothing', { sequence: 2, amountNanoEur: '0' }, 422, 'invalid_input'],
  ])('%s is refused', async (_what, body, status, code) => {
    const of = await tenant();
    await of.post('grants', { source: 'top_up', amountNanoEur: '5' });
    expect(await of.post('reversals', body)).toMatchObject({ status, body: { code } });
  });
});
