import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, startApi } from '../testing/api.ts';

let api: Api;
let other: Api;
beforeAll(async () => {
  api = await startApi();
  other = await startApi({ databaseUrl: api.controlPlane.databaseUrl });
  await api.tenant('demo');
});
afterAll(async () => {
  await other.stop();
  await api.stop();
});

const PATH = '/v1/plans/starter';
const plan = (displayName: string) => ({
  displayName,
  monthlyBudgetNanoEur: '25000000000',
  maxMembers: 1,
  modelClasses: ['mini'],
  marginPercent: 20,
});
const put = (name: string, headers: Record<string, string> = {}, on = api) =>
  on.admin('PUT', PATH, plan(name), headers);
const get = (headers: Record<string, string> = {}, on = api) => on.admin('GET', PATH, undefined, headers);
const tagNow = async () => (await get()).headers.get('etag') ?? '';
const FAILED = { status: 412, body: { code: 'precondition_failed' } };

describe('a read', () => {
  test('has a tag, the same on every replica for as long as it is the same', async () => {
    await put('Starter');
    const tag = await tagNow();
    expect(tag).toMatch(/^"[\w-]{27}"$/);
    expect((await get({}, other)).headers.get('etag')).toBe(tag);
    await put('Another');
    expect(await tagNow()).not.toBe(tag);
  });

  test('that the caller has already is a 304 without a body', async () => {
    const tag = await tagNow();
    const known = await get({ 'if-none-match': `"x", W/${tag}` });
    expect(known).toMatchObject({ status: 304, body: '' });
    expect(known.headers.get('etag')).toBe(tag);
    await put('Changed');
    expect((await get({ 'if-none-match': tag })).status).toBe(200);
  });

  test('of a list has one, too; a refusal, a stream or a text has none', async () => {
    const list = await api.admin('GET', '/v1/plans');
    const tag = list.headers.get('etag') ?? '';
    expect((await api.admin('GET', '/v1/plans', undefined, { 'if-none-match': tag })).status).toBe(304);
    expect((await api.admin('GET', '/v1/plans/none')).headers.get('etag')).toBeNull();
    expect((await api.call('GET', '/metrics', undefined)).headers.get('etag')).toBeNull();
    const description = await api.call('GET', '/openapi.json', undefined);
    const again = await api.call('GET', '/openapi.json', undefined, undefined, {
      'if-none-match': description.headers.get('etag') ?? '',
    });
    expect(again.status).toBe(304);
  });

  test('must be allowed before its tag is compared', async () => {
    const answer = await api.call('GET', PATH, 'wrong-key-wrong-key', undefined, { 'if-none-match': '*' });
    expect(answer.status).toBe(401);
  });
});

describe('a write', () => {
  test('happens where nothing has changed, and not where something has', async () => {
    const tag = await tagNow();
    expect((await put('Mine', { 'if-match': tag })).status).toBe(200);
    expect(await put('Late', { 'if-match': tag })).toMatchObject(FAILED);
    expect((await get()).body.displayName).toBe('Mine');
    expect((await put('Any', { 'if-match': '*' })).status).toBe(200);
  });

  test('with the weak form of the tag does not', async () => {
    expect(await put('Weak', { 'if-match': `W/${await tagNow()}` })).toMatchObject(FAILED);
  });

  test('to what is not there does not happen with If-Match, and only there with If-None-Match: *', async () => {
    const absent = (headers: Record<string, string>) => api.admin('PUT', '/v1/plans/new', plan('New'), headers);
    expect(await absent({ 'if-match': '*' })).toMatchObject(FAILED);
    expect((await absent({ 'if-none-match': '*' })).status).toBeLessThan(300);
    expect(await absent({ 'if-none-match': '*' })).toMatchObject(FAILED);
  });

  test('is refused for its input before its condition is looked at', async () => {
    const answer = await api.admin('PUT', PATH, { displayName: 1 }, { 'if-match': '"x"' });
    expect(answer.status).toBe(422);
  });

  test('a DELETE has conditions, too', async () => {
    await api.admin('PUT', '/v1/plans/gone', plan('Gone'));
    const remove = (tag: string) => api.admin('DELETE', '/v1/plans/gone', undefined, { 'if-match': tag });
    expect(await remove('"stale"')).toMatchObject(FAILED);
    const tag = (await api.admin('GET', '/v1/plans/gone')).headers.get('etag') ?? '';
    expect((await remove(tag)).status).toBe(204);
  });

  test('of twenty who have seen the same, over two replicas, one happens', async () => {
    const tag = await tagNow();
    const tries = Array.from({ length: 20 }, (_, n) =>
      put(`Racer ${n}`, { 'if-match': tag }, n % 2 === 0 ? api : other),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(19);
  });
});
