import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3Settings, s3Driver } from '../../control-plane/src/files/s3-driver.ts';
import { sweepFiles } from '../../control-plane/src/files/sweep.ts';
import { type Api, PORTAL_URL, startApi, type TestPerson } from '../../control-plane/src/testing/api.ts';
import { fileDriverScenarios } from '../../control-plane/src/testing/file-driver-scenarios.ts';
import { type S3Server, startS3Server } from './s3-server.ts';

let server: S3Server;
beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server?.process.stop());

describe('an S3-compatible storage', () => {
  fileDriverScenarios(() => s3Driver(server.settings));

  test('without the bucket is an error, not a file that is not there', async () => {
    const nowhere = s3Driver({ ...server.settings, bucket: 'no-such-bucket' });
    await expect(nowhere.put('tenants/1/aa/aa', Buffer.from('x'))).rejects.toThrow();
  });
});

describe('a control plane with its files in S3', () => {
  let api: Api;
  let owner: TestPerson;
  const at = '/v1/tenants/own/files/logo/mark.png';
  const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(5_000)]);

  const put = (one: Api, path = at) =>
    fetch(one.controlPlane.url + path, {
      method: 'PUT',
      headers: { cookie: owner.cookie, origin: PORTAL_URL, 'content-type': 'image/png' },
      body: new Uint8Array(picture),
    });
  const get = async (one: Api) => {
    const answer = await fetch(one.controlPlane.url + at, { headers: { cookie: owner.cookie } });
    return { status: answer.status, content: Buffer.from(await answer.arrayBuffer()) };
  };

  beforeAll(async () => {
    api = await startApi({ s3: server.settings });
    await api.tenant('own');
    owner = await api.signedIn('owner@example.test');
    await api.belongs(owner, 'own', 'owner');
  });
  afterAll(() => api?.stop());

  test('serves at one replica what was uploaded at another', async () => {
    const replica = await startApi({ s3: server.settings, databaseUrl: api.controlPlane.databaseUrl });
    try {
      expect((await put(api)).status).toBe(201);
      expect((await get(replica)).content.equals(picture)).toBe(true);
    } finally {
      await replica.stop();
    }
  });

  test('removes there what no file has any more', async () => {
    expect((await api.as(owner, 'DELETE', at)).status).toBe(204);
    expect(await sweepFiles(api.pool, s3Driver(server.settings), 0)).toBe(1);
    expect((await get(api)).status).toBe(404);
  });

  test('stores nothing half while S3 is away, and shows neither its address nor its keys', async () => {
    const away: S3Settings = { ...server.settings, endpoint: 'http://127.0.0.1:9', secretKey: 'secret-key-canary' };
    const cut = await startApi({ s3: away, databaseUrl: api.controlPlane.databaseUrl });
    try {
      const answer = await put(cut);
      expect(answer.status).toBe(503);
      expect(await answer.text()).not.toMatch(/127\.0\.0\.1|canary/);
      expect((await get(cut)).status).toBe(404);
      expect((await api.as(owner, 'GET', '/v1/tenants/own/files')).body.items).toEqual([]);
      expect(cut.log.join('')).not.toContain('secret-key-canary');
    } finally {
      await cut.stop();
    }
  });
});
