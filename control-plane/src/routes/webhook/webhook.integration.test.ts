import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, type Api, startApi } from '../../testing/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await api.tenant('demo');
  await api.tenant('other');
});
afterAll(() => api.stop());

const at = '/v1/tenants/demo/webhook';
const url = 'https://hooks.example.org/budget';

test('shows its secret when it is made, and never again', async () => {
  expect(await api.admin('GET', at)).toMatchObject({ status: 404, body: { code: 'webhook_unknown' } });
  const made = await api.admin('PUT', at, { url });
  expect(made).toMatchObject({
    status: 201,
    body: { url, secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) },
  });
  const read = await api.admin('GET', at);
  expect(read.status).toBe(200);
  expect(read.body).toEqual({ url, createdAt: expect.any(String), changedAt: expect.any(String) });
  const moved = await api.admin('PUT', at, { url: `${url}/2` });
  expect(moved.status).toBe(200);
  expect(moved.body.secret).toBeUndefined();
  const rotated = await api.admin('PUT', at, { url, rotateSecret: true });
  expect(rotated.status).toBe(200);
  expect(rotated.body.secret).not.toBe(made.body.secret);
  const seen = JSON.stringify(api.log);
  expect(seen.includes(made.body.secret)).toBe(false);
  expect(seen.includes(ADMIN_KEY)).toBe(false);
});

test('is a tenant’s own, and can be taken away', async () => {
  await api.admin('PUT', at, { url });
  expect((await api.admin('GET', '/v1/tenants/other/webhook')).status).toBe(404);
  expect((await api.admin('DELETE', '/v1/tenants/other/webhook')).status).toBe(204);
  expect((await api.admin('GET', at)).status).toBe(200);
  expect((await api.admin('DELETE', at)).status).toBe(204);
  expect((await api.admin('GET', at)).status).toBe(404);
});

test.each([
  { url: 'http://hooks.example.org/' },
  { url: 'https://169.254.169.254/latest/meta-data/' },
  { url: 'https://[::1]:8443/' },
  { url: 'https://user:secret@hooks.example.org/' },
  { url: 'nonsense' },
  { url: 5 },
  {},
])('with %o is refused by the name of its field, and changes nothing', async (body) => {
  expect(await api.admin('PUT', '/v1/tenants/other/webhook', body)).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'url' }] },
  });
  expect((await api.admin('GET', '/v1/tenants/other/webhook')).status).toBe(404);
});

test.each(['GET', 'PUT', 'DELETE'])('%s of a tenant that does not exist is a 404', async (method) => {
  const body = method === 'PUT' ? { url } : undefined;
  expect(await api.admin(method, '/v1/tenants/nobody/webhook', body)).toMatchObject({
    status: 404,
    body: { code: 'tenant_unknown' },
  });
});
