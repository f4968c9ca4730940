import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../e2e/cluster/api-server.ts';
import { until } from '../../e2e/process/until.ts';
import { loadClusterAccess } from './runtime/cluster-access.ts';
import { KubeCluster } from './runtime/kube-cluster.ts';
import { LEASES } from './runtime/leader-election.ts';
import { createRuntimeMetrics } from './runtime/metrics.ts';
import { customKind } from './tenant/kinds.ts';
import { installDefinitions } from './testing/install-definitions.ts';
import { seedPlatform } from './testing/seed-platform.ts';
import { settings } from './testing/tenant-input.ts';

const PATIENCE = { timeoutMs: 60_000, intervalMs: 100 };
const OPERATOR_KEY = 'the-operator-key-of-this-test';
let server: ApiServer;
let cluster: KubeCluster;
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startApiServer();
  const access = await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath });
  cluster = new KubeCluster({ access, metrics: createRuntimeMetrics(new Registry()), userAgent: 'operator-test' });
  await installDefinitions(cluster);
  await seedPlatform(cluster);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await cluster?.close();
  await server?.stop();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function start(name: string, environment: Record<string, string> = {}) {
  const port = await freePort();
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
    env: {
      PATH: process.env.PATH,
      KUBECONFIG: server.kubeconfigPath,
      BASE_DOMAIN: settings.baseDomain,
      OPERATOR_KEY,
      // nobody listens there: what the operator says of that is part of the test
      CONTROL_PLANE_URL: 'http://127.0.0.1:9',
      IMAGE_LITELLM: 'litellm:1',
      IMAGE_OPEN_WEBUI: 'open-webui:1',
      IMAGE_POSTGRES: 'postgres:1',
      IMAGE_REDIS: 'redis:1',
      POD_NAME: name,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(port),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  return { child, port, output: () => output };
}

const holder = async () => {
  const lease = await cluster.get({
    resource: LEASES,
    namespace: settings.platformNamespace,
    name: 'cloudfreedom-operator',
  });
  return (lease?.spec as { holderIdentity?: string } | undefined)?.holderIdentity;
};

describe('the operator as a process', () => {
  it('leads, says what it cannot do, hands the lease over when stopped, and keeps its key to itself', async () => {
    const first = await start('operator-1');
    await until(
      'readiness',
      async () => (await fetch(`http://127.0.0.1:${first.port}/readyz`)).ok || undefined,
      PATIENCE,
    );
    await until('leadership', async () => ((await holder()) === 'operator-1' ? true : undefined), PATIENCE);
    const second = await start('operator-2');
    await until(
      'the Plan to be judged',
      async () => {
        const found = await cluster.get({ resource: customKind.plan, name: 'professional' });
        const { conditions = [] } = (found?.status ?? {}) as { conditions?: { type: string; reason: string }[] };
        return conditions.find(({ type, reason }) => type === 'Ready' && reason === 'ControlPlaneUnreachable');
      },
      PATIENCE,
    );
    const metrics = await (await fetch(`http://127.0.0.1:${first.port}/metrics`)).text();
    expect(metrics).toContain('cloudfreedom_leading 1');

    first.child.kill('SIGTERM');
    const [code] = await once(first.child, 'exit');
    expect(code).toBe(0);
    await until('the other to lead', async () => ((await holder()) === 'operator-2' ? true : undefined), PATIENCE);
    second.child.kill('SIGTERM');
    await once(second.child, 'exit');
    expect(first.output() + second.output()).not.toContain(OPERATOR_KEY);
    expect(first.output() + second.output()).not.toContain('sk-provider');
  });

  it('does not start on an environment that is not as needed, and names what is wrong', async () => {
    const wrong = await start('operator-3', { BASE_DOMAIN: '', PROVIDER_EGRESS: '{' });
    const [code] = await once(wrong.child, 'exit');
    expect(code).toBe(1);
    expect(wrong.output()).toMatch(/BASE_DOMAIN/);
    expect(wrong.output()).toMatch(/PROVIDER_EGRESS/);
  });

  it('does not wait for certificates from a cert-manager that is not there', async () => {
    const wrong = await start('operator-4', { TLS_CLUSTER_ISSUER: 'letsencrypt' });
    const [code] = await once(wrong.child, 'exit');
    expect(code).toBe(1);
    expect(wrong.output()).toMatch(/cert-manager/);
  });
});
