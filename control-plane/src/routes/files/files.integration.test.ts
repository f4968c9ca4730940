import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FILE_KINDS, MAX_TENANT_BYTES, MAX_UPLOADED_FILES } from '../../files/file-kinds.ts';
import { Files } from '../../files/files.ts';
import { folderDriver } from '../../files/folder-driver.ts';
import { sweepFiles } from '../../files/sweep.ts';
import { type Api, PORTAL_URL, startApi, type TestPerson } from '../../testing/api.ts';

const FILES = '/v1/tenants/own/files';
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** Brings the database. */
let base: Api;
let api: Api;
let folder: string;
let files: Files;
let tenantId: bigint;
let owner: TestPerson;
let member: TestPerson;
let billing: TestPerson;
let outsider: TestPerson;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudfreedom-files-'));
  base = await startApi();
  // Its own data folder, so that the test sees what lies there.
  api = await startApi({ databaseUrl: base.controlPlane.databaseUrl, dataFolder: folder });
  await api.tenant('own');
  await api.tenant('foreign');
  owner = await api.signedIn('owner@example.test');
  member = await api.signedIn('member@example.test');
  billing = await api.signedIn('billing@example.test');
  outsider = await api.signedIn('outsider@example.test');
  await api.belongs(owner, 'own', 'owner');
  await api.belongs(member, 'own', 'member');
  await api.belongs(billing, 'own', 'billing');
  await api.belongs(outsider, 'foreign', 'owner');
  files = new Files(api.pool, folderDriver(join(folder, 'files')));
  const { rows } = await api.pool.query<{ id: bigint }>(`select id from tenant where name = 'own'`);
  tenantId = rows[0]?.id ?? 0n;
});
afterAll(async () => {
  await api?.stop();
  await base?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A PNG by its first bytes, unlike any other. */
const picture = (bytes = 500) => Buffer.concat([PNG, randomBytes(bytes - PNG.length)]);

async function upload(person: TestPerson, path: string, content: Buffer, type = 'image/png') {
  const response = await fetch(api.controlPlane.url + path, {
    method: 'PUT',
    headers: { cookie: person.cookie, origin: PORTAL_URL, 'content-type': type },
    body: new Uint8Array(content),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function download(person: TestPerson, path: string) {
  const response = await fetch(api.controlPlane.url + path, { headers: { cookie: person.cookie } });
  return { status: response.status, headers: response.headers, content: Buffer.from(await response.arrayBuffer()) };
}

/** Names of everything that lies in the data folder, with what it lies in. */
const stored = async () =>
  (await readdir(join(folder, 'files'), { recursive: true })).filter((name) => /\w{64}$/.test(name));

describe('a logo', () => {
  test('is stored, shown, replaced and removed', async () => {
    const [first, second] = [picture(), picture()];
    expect(await upload(owner, `${FILES}/logo/mark.png`, first)).toMatchObject({
      status: 201,
      body: { kind: 'logo', bytes: first.length, personId: owner.id, contentType: 'image/png' },
    });
    expect((await download(member, `${FILES}/logo/mark.png`)).content.equals(first)).toBe(true);
    expect((await upload(owner, `${FILES}/logo/mark.png`, second)).status).toBe(200);
    expect((await download(member, `${FILES}/logo/mark.png`)).content.equals(second)).toBe(true);
    expect((await api.as(owner, 'DELETE', `${FILES}/logo/mark.png`)).status).toBe(204);
    expect((await download(member, `${FILES}/logo/mark.png`)).status).toBe(404);
    expect((await api.as(owner, 'DELETE', `${FILES}/logo/mark.png`)).status).toBe(404);
  });

  test('is served so that no browser takes it for a page', async () => {
    const content = picture();
    await upload(owner, `${FILES}/logo/safe.png`, content);
    const { headers } = await download(member, `${FILES}/logo/safe.png`);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': 'inline; filename="safe.png"',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      etag: `"${createHash('sha256').update(content).digest('hex')}"`,
    });
  });

  test.each([
    ['an SVG by its own name', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml', 'type_not_taken'],
    ['an SVG that says it is a PNG', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/png', 'content_differs'],
    ['a page that says it is a PNG', '<!doctype html><script>alert(1)</script>', 'image/png', 'content_differs'],
    ['a PNG that says it is a JPEG', PNG, 'image/jpeg', 'content_differs'],
    ['a PDF', '%PDF-1.7', 'application/pdf', 'type_not_taken'],
    ['a picture without a type', PNG, '', 'type_not_taken'],
  ])('is not %s', async (_what, content, type, code) => {
    expect(await upload(owner, `${FILES}/logo/x`, Buffer.from(content), type)).toMatchObject({
      status: 415,
      body: { code },
    });
    expect((await download(owner, `${FILES}/logo/x`)).status).toBe(404);
  });

  test('has a name that leads nowhere else', async () => {
    for (const name of ['..%2f..%2fetc', 'A.png', '.hidden', 'a%20b', `${'a'.repeat(101)}`])
      expect((await upload(owner, `${FILES}/logo/${name}`, picture())).status, name).toBe(422);
  });

  test('above a megabyte is cut off while it comes, declared or not', async () => {
    const { maxBytes } = FILE_KINDS.logo;
    expect((await upload(owner, `${FILES}/logo/whole.png`, picture(maxBytes))).status).toBe(201);
    expect((await upload(owner, `${FILES}/logo/large.png`, picture(maxBytes + 1))).status).toBe(413);
    // Without a length, and without an end: the answer comes all the same.
    const status = await new Promise((resolve, reject) => {
      const url = `${api.controlPlane.url}${FILES}/logo/endless.png`;
      const headers = { cookie: owner.cookie, origin: PORTAL_URL, 'content-type': 'image/png' };
      const sending = request(url, { method: 'PUT', headers }, (response) => resolve(response.statusCode));
      sending.on('error', reject);
      sending.write(picture(maxBytes));
      sending.write(Buffer.alloc(10));
    });
    expect(status).toBe(413);
  });

  test(`is one of ${MAX_UPLOADED_FILES} at most`, async () => {
    const { body } = await api.as(owner, 'GET', `${FILES}?kind=logo`);
    for (let place = body.items.length; place < MAX_UPLOADED_FILES; place += 1)
      expect((await upload(owner, `${FILES}/logo/n${place}.png`, picture())).status).toBe(201);
    expect(await upload(owner, `${FILES}/logo/more.png`, picture())).toMatchObject({
      status: 409,
      body: { code: 'too_many_files' },
    });
    expect((await upload(owner, `${FILES}/logo/n${MAX_UPLOADED_FILES - 1}.png`, picture())).status).toBe(200);
  });
});

describe('who may what', () => {
  beforeAll(async () => {
    const make = (kind: 'export' | 'invoice', name: string, content: string, contentType: string) =>
      files.store({ tenantId, kind, name, content: Buffer.from(content), contentType });
    await make('export', 'usage.csv', 'day;cost\n', 'text/csv');
    await make('invoice', '2026-11.pdf', '%PDF-1.7', 'application/pdf');
  });

  test('a tenant’s files do not exist for people of another, by no name', async () => {
    expect((await upload(owner, `${FILES}/logo/n9.png`, picture())).status).toBe(200);
    for (const path of [`${FILES}/logo/n9.png`, `${FILES}/export/usage.csv`, '/v1/tenants/foreign/files/logo/n9.png'])
      expect((await download(outsider, path)).status, path).toBe(404);
    expect((await upload(outsider, `${FILES}/logo/n9.png`, picture())).status).toBe(404);
    expect((await api.as(outsider, 'DELETE', `${FILES}/logo/n9.png`)).status).toBe(404);
    expect((await api.as(outsider, 'GET', '/v1/tenants/foreign/files')).body.items).toEqual([]);
  });

  test('the same picture in two tenants is two contents', async () => {
    const content = picture();
    await upload(owner, `${FILES}/logo/n8.png`, content);
    await upload(outsider, '/v1/tenants/foreign/files/logo/n8.png', content);
    const hash = createHash('sha256').update(content).digest('hex');
    expect((await stored()).filter((name) => name.endsWith(hash))).toHaveLength(2);
  });

  test('exports are for whoever may read usage, invoices for whoever may read bills', async () => {
    const seen = async (person: TestPerson) => [
      (await download(person, `${FILES}/export/usage.csv`)).status,
      (await download(person, `${FILES}/invoice/2026-11.pdf`)).status,
      new Set((await api.as(person, 'GET', `${FILES}?limit=500`)).body.items.map(({ kind }: { kind: string }) => kind)),
    ];
    expect(await seen(owner)).toEqual([200, 200, new Set(['export', 'invoice', 'logo'])]);
    expect(await seen(billing)).toEqual([200, 200, new Set(['export', 'invoice', 'logo'])]);
    expect(await seen(member)).toEqual([403, 403, new Set(['logo'])]);
    expect((await download(owner, `${FILES}/export/usage.csv`)).headers.get('content-disposition')).toMatch(
      /^attachment/,
    );
  });

  test('members upload nothing; nobody uploads an export or removes an invoice', async () => {
    expect((await upload(member, `${FILES}/logo/n9.png`, picture())).status).toBe(403);
    expect((await upload(owner, `${FILES}/export/mine.csv`, Buffer.from('a;b'), 'text/csv')).status).toBe(422);
    expect(await api.as(owner, 'DELETE', `${FILES}/invoice/2026-11.pdf`)).toMatchObject({
      status: 403,
      body: { code: 'kept_by_law' },
    });
  });

  test('a list is paged', async () => {
    const first = await api.as(owner, 'GET', `${FILES}?limit=2`);
    const rest = await api.as(owner, 'GET', `${FILES}?limit=500&cursor=${first.body.nextCursor}`);
    const all = await api.as(owner, 'GET', `${FILES}?limit=500`);
    expect([...first.body.items, ...rest.body.items]).toEqual(all.body.items);
  });
});

test('what a tenant stores is bounded; equal contents count once', async () => {
  const content = Buffer.concat([Buffer.from('day;cost\n'), Buffer.alloc(1_000, 'x')]);
  const make = (name: string, more = '') =>
    files.store({
      tenantId,
      kind: 'export',
      name,
      content: Buffer.concat([content, Buffer.from(more)]),
      contentType: 'text/csv',
    });
  expect(await make('a.csv')).toMatchObject({ outcome: 'created' });
  const { rows } = await api.pool.query<{ bytes: bigint }>(
    'select sum(size)::bigint as bytes from file_content where tenant_id = $1',
    [tenantId],
  );
  await api.pool.query('insert into file_content (tenant_id, sha256, size) values ($1, $2, $3)', [
    tenantId,
    randomBytes(32),
    BigInt(MAX_TENANT_BYTES) - (rows[0]?.bytes ?? 0n),
  ]);
  expect(await make('b.csv')).toMatchObject({ outcome: 'created' });
  expect(await make('c.csv', 'other')).toEqual({ outcome: 'quota' });
  await api.pool.query('delete from file_content where size > 10000000');
});

describe('the sweeper', () => {
  const sweep = (graceMinutes?: number) => sweepFiles(api.pool, folderDriver(join(folder, 'files')), graceMinutes);
  const make = (name: string, more: { expiresAt?: Date } = {}) =>
    files.store({
      tenantId,
      kind: 'export',
      name,
      content: Buffer.from(`name;${name}`),
      contentType: 'text/csv',
      ...more,
    });

  test('removes contents that no file has any more, and no other', async () => {
    await make('kept.csv');
    await make('gone.csv');
    const before = await stored();
    await files.remove({ tenantId, kind: 'export', name: 'gone.csv' });
    expect(await sweep()).toBe(0);
    await sweep(0);
    const after = await stored();
    expect(before.length - after.length).toBeGreaterThanOrEqual(1);
    const { rows } = await api.pool.query<{ count: bigint }>('select count(*) from file_content');
    expect(BigInt(after.length)).toBe(rows[0]?.count);
    expect((await download(owner, `${FILES}/export/kept.csv`)).status).toBe(200);
    expect(await sweep(0)).toBe(0);
  });

  test('removes what has expired, which nobody could read any more', async () => {
    await make('old.csv', { expiresAt: new Date(Date.now() - 1_000) });
    expect((await download(owner, `${FILES}/export/old.csv`)).status).toBe(404);
    await sweep(0);
    const { rows } = await api.pool.query(`select from file where name = 'old.csv'`);
    expect(rows).toEqual([]);
  });

  test('removes the files of an erased tenant, but for its invoices', async () => {
    await api.tenant('erased');
    const { rows } = await api.pool.query<{ id: bigint }>(`select id from tenant where name = 'erased'`);
    const id = rows[0]?.id ?? 0n;
    await files.store({ tenantId: id, kind: 'logo', name: 'l', content: picture(), contentType: 'image/png' });
    const pdf = Buffer.from('%PDF-1.7 of the erased');
    await files.store({ tenantId: id, kind: 'invoice', name: 'i', content: pdf, contentType: 'application/pdf' });
    await api.admin('DELETE', '/v1/tenants/erased?data=erase');
    await sweep(0);
    const left = await api.pool.query('select kind from file where tenant_id = $1', [id]);
    expect(left.rows).toEqual([{ kind: 'invoice' }]);
    expect((await stored()).filter((name) => name.startsWith(`tenants/${id}/`))).toHaveLength(1);
  });

  test('tries again what the storage did not remove', async () => {
    await make('stubborn.csv');
    await files.remove({ tenantId, kind: 'export', name: 'stubborn.csv' });
    const broken = { ...folderDriver(join(folder, 'files')), remove: () => Promise.reject(new Error('away')) };
    await expect(sweepFiles(api.pool, broken, 0)).rejects.toThrow('away');
    expect(await sweep(0)).toBe(1);
  });

  test('and whoever stores the same content at that moment do not lose it', async () => {
    for (let round = 0; round < 20; round += 1) {
      await make('again.csv');
      await files.remove({ tenantId, kind: 'export', name: 'again.csv' });
      await api.pool.query(`update file_content set touched_at = now() - interval '2 hours'`);
      await Promise.all([make('again.csv'), sweep(), sweep()]);
      expect((await download(owner, `${FILES}/export/again.csv`)).content.toString()).toBe('name;again.csv');
    }
  });
});

test('an installation without a storage says so, and works otherwise', async () => {
  const bare = await startApi({
    dataFolder: '/dev/null/is-no-folder',
    databaseUrl: api.controlPlane.databaseUrl,
  });
  try {
    const response = await fetch(`${bare.controlPlane.url}${FILES}/logo/n9.png`, {
      method: 'PUT',
      headers: { cookie: owner.cookie, origin: PORTAL_URL, 'content-type': 'image/png' },
      body: new Uint8Array(picture()),
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'no_file_storage' });
    expect((await bare.as(owner, 'GET', FILES)).status).toBe(200);
  } finally {
    await bare.stop();
  }
});
