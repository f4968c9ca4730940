import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../../e2e/cluster/api-server.ts';
import { loadClusterAccess } from './cluster-access.ts';
import { HttpConnection } from './http-connection.ts';
import { inClusterAccess } from './in-cluster-access.ts';

let server: ApiServer;
let folder: string;
beforeAll(async () => {
  server = await startApiServer();
  folder = await mkdtemp(join(tmpdir(), 'service-account-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await server.stop();
});

/** A fresh token of a service account, as the kubelet would fetch it for a pod. */
async function requestToken(admin: HttpConnection, name: string): Promise<string> {
  const base = '/api/v1/namespaces/default/serviceaccounts';
  const contentType = 'application/json';
  await admin
    .json({ method: 'POST', path: base, contentType, body: JSON.stringify({ metadata: { name } }) })
    .catch(() => undefined);
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} });
  const answer = await admin.json({ method: 'POST', path: `${base}/${name}/token`, contentType, body });
  return (answer as { status: { token: string } }).status.token;
}

describe('the way to the API server', () => {
  it('in a pod is its service account, whose token may be renewed in place', async () => {
    const admin = new HttpConnection({
      access: await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath }),
      userAgent: 'test',
    });
    await writeFile(join(folder, 'ca.crt'), await readFile(server.authorityFile));
    await writeFile(join(folder, 'token'), `${await requestToken(admin, 'pod')}\n`);
    const { hostname, port } = new URL(server.url);
    const pod = new HttpConnection({ access: inClusterAccess(hostname, port, folder), userAgent: 'test' });
    const whoAmI = async () => {
      const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const answer = await pod.json({ method: 'POST', path, contentType: 'application/json', body });
      return (answer as { status: { userInfo: { username: string } } }).status.userInfo.username;
    };
    expect(await whoAmI()).toBe('system:serviceaccount:default:pod');

    await writeFile(join(folder, 'token'), 'expired');
    const stale = new HttpConnection({ access: inClusterAccess(hostname, port, folder), userAgent: 'test' });
    await expect(stale.json({ method: 'GET', path: '/api' })).rejects.toMatchObject({ status: 401 });
    await writeFile(join(folder, 'token'), await requestToken(admin, 'pod'));
    // A refused credential is read anew with the next request, not after its usual age.
    await expect(stale.json({ method: 'GET', path: '/api' })).resolves.toBeDefined();
    await Promise.all([admin.close(), pod.close(), stale.close()]);
  });

  it('refuses a server whose certificate another authority signed', async () => {
    const { hostname, port } = new URL(server.url);
    const wrong = { server: `https://${hostname}:${port}`, credentials: async () => ({ headers: {}, tls: {} }) };
    const connection = new HttpConnection({ access: wrong, userAgent: 'test' });
    await expect(connection.json({ method: 'GET', path: '/api' })).rejects.toMatchObject({ reason: 'Unreachable' });
    await connection.close();
  });

  it('is KUBECONFIG where it is set, and never a guess', async () => {
    expect((await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath })).server).toBe(server.url);
    const pod = await loadClusterAccess({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' });
    expect(pod.server).toBe('https://[fd00::1]:6443');
    await expect(loadClusterAccess({})).rejects.toThrow('set KUBECONFIG');
    await expect(loadClusterAccess({ KUBECONFIG: join(folder, 'nowhere') })).rejects.toThrow('nowhere');
  });
});
