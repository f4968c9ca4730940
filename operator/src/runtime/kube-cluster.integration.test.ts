import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../../e2e/cluster/api-server.ts';
import type { KubeCluster } from './kube-cluster.ts';
import { CONFIG_MAPS, clusterScenarios, configMap, NAMESPACES } from './testing/cluster-scenarios.ts';
import { realCluster } from './testing/real-cluster.ts';

let server: ApiServer;
let cluster: KubeCluster;

beforeAll(async () => {
  server = await startApiServer();
  cluster = await realCluster(server.kubeconfigPath);
});
afterAll(async () => {
  await cluster.close();
  await server.stop();
});

/** Makes a namespace and returns its name. */
async function namespace(name: string): Promise<string> {
  await cluster.apply(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'test');
  return name;
}

describe('the real API server, as the fake one', () => {
  for (const [number, { title, run }] of clusterScenarios.entries()) {
    it(title, async () => run(cluster, await namespace(`scenario-${number}`)));
  }
});

describe('the client of the real API server', () => {
  it('sends strings whole that YAML would fold or refuse', async () => {
    const home = await namespace('strings');
    const odd = 'a\u0085b\u2028c\u2029d\u007fe\ufeffäö€😀"\\\n\t';
    await cluster.apply(CONFIG_MAPS, configMap(home, 'odd', { odd }), 'test');
    const stored = await cluster.get({ resource: CONFIG_MAPS, namespace: home, name: 'odd' });
    expect(stored?.data).toEqual({ odd });
  });

  it('lists more objects than fit on a page', async () => {
    const home = await namespace('paging');
    const names = Array.from({ length: 1_050 }, (_, number) => `object-${String(number).padStart(4, '0')}`);
    for (let from = 0; from < names.length; from += 50) {
      const batch = names.slice(from, from + 50);
      await Promise.all(batch.map((name) => cluster.create(CONFIG_MAPS, configMap(home, name, {}), 'test')));
    }
    const listed = await cluster.list(CONFIG_MAPS, { namespace: home });
    expect(listed.map(({ metadata }) => metadata.name)).toEqual(names);
  });

  it('refuses a field that the kind does not have, and names it', async () => {
    const home = await namespace('strict');
    const wrong = { ...configMap(home, 'wrong', {}), dataa: { x: '1' } };
    await expect(cluster.apply(CONFIG_MAPS, wrong, 'test')).rejects.toMatchObject({ message: /dataa/ });
    await expect(cluster.create(CONFIG_MAPS, wrong, 'test')).rejects.toMatchObject({ status: 400, message: /dataa/ });
    expect(await cluster.list(CONFIG_MAPS, { namespace: home })).toEqual([]);
  });

  it('stops at once when its caller gives up', async () => {
    const reason = new Error('the caller gave up');
    const ref = { resource: CONFIG_MAPS, namespace: 'default', name: 'nobody' };
    await expect(cluster.get(ref, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
