import { afterAll, expect, test } from 'vitest';
import { run } from '../process/run.ts';
import { startApiServer } from './api-server.ts';
import { coreDns } from './manifests/coredns.ts';
import { localPath } from './manifests/local-path.ts';
import { traefik } from './manifests/traefik.ts';

const server = await startApiServer();
afterAll(() => server.stop());

test('the API server takes every object of the cluster itself, without a field it does not know', async () => {
  const items = [...coreDns('dns:1'), ...localPath('storage:1', 'helper:1', '/volumes'), ...traefik('ingress:1')];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const apply = ['apply', '--server-side', '--validate=strict', '-f', '-'];
  const { stdout } = await run(`${server.binFolder}/kubectl`, ['--kubeconfig', server.kubeconfigPath, ...apply], {
    input: list,
  });
  expect(stdout.trim().split('\n')).toHaveLength(items.length);
});
