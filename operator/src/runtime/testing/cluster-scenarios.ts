import assert from 'node:assert/strict';
import type { Cluster, KubeObject, ObjectRef, Resource } from '../cluster.ts';
import { isAlreadyExists, isConflict, isInvalid, isNotFound, KubeError } from '../kube-error.ts';

export const CONFIG_MAPS: Resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
export const DEPLOYMENTS: Resource = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};
export const NAMESPACES: Resource = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };

/** A statement about the API server that must hold for the real one and for the fake alike. */
export interface ClusterScenario {
  title: string;
  /** `namespace` exists, is empty and is the scenario's own. */
  run(cluster: Cluster, namespace: string): Promise<void>;
}

const MANAGER = 'scenario';

/** A ConfigMap; `metadata` adds to or overrides the generated one. */
export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string>,
  metadata: Partial<KubeObject['metadata']> = {},
): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ...metadata }, data };
}

/** A Deployment whose pods run `image` with `env`. */
export function deployment(namespace: string, name: string, image: string, env: Record<string, string>): KubeObject {
  const labels = { app: name };
  const variables = Object.entries(env).map(([variable, value]) => ({ name: variable, value }));
  const containers = [{ name: 'main', image, env: variables, args: ['--serve'] }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}

function named(namespace: string, name: string): ObjectRef {
  return { resource: CONFIG_MAPS, namespace, name };
}

async function read(cluster: Cluster, ref: ObjectRef): Promise<KubeObject> {
  const found = await cluster.get(ref);
  assert(found, `${ref.name} is not there`);
  return found;
}

function identity({ metadata }: KubeObject): { uid: string; resourceVersion: string } {
  assert(metadata.uid && metadata.resourceVersion);
  return { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
}

function variablesOf(object: KubeObject): unknown {
  const spec = object.spec as { template: { spec: { containers: { env?: unknown }[] } } };
  return spec.template.spec.containers[0]?.env;
}

export const clusterScenarios: ClusterScenario[] = [
  {
    title: 'an object that does not exist reads as undefined',
    run: async (cluster, namespace) => assert.equal(await cluster.get(named(namespace, 'nobody')), undefined),
  },
  {
    title: 'an apply creates, and the answer carries uid, resourceVersion and creationTimestamp',
    async run(cluster, namespace) {
      const { metadata, data } = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1' }), MANAGER);
      assert.deepEqual(data, { x: '1' });
      assert(metadata.uid && metadata.resourceVersion && metadata.creationTimestamp);
    },
  },
  {
    title: 'an apply that changes nothing keeps the resourceVersion',
    async run(cluster, namespace) {
      const first = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1' }), MANAGER);
      const second = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1' }), MANAGER);
      assert.deepEqual(identity(second), identity(first));
    },
  },
  {
    title: 'a field that its manager states no more is removed',
    async run(cluster, namespace) {
      await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1', y: '2' }), MANAGER);
      const { data } = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1' }), MANAGER);
      assert.deepEqual(data, { x: '1' });
    },
  },
  {
    title: 'a field of another manager stays, and one that both state outlives either',
    async run(cluster, namespace) {
      await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1', both: 'b' }), MANAGER);
      await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { y: '2', both: 'b' }), 'somebody-else');
      const { data } = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '3' }), MANAGER);
      assert.deepEqual(data, { x: '3', y: '2', both: 'b' });
    },
  },
  {
    title: 'an apply takes a field by force, and from then on removes it',
    async run(cluster, namespace) {
      await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: 'theirs' }), 'somebody-else');
      const taken = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: 'ours' }), MANAGER);
      assert.deepEqual(taken.data, { x: 'ours' });
      const { data } = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', {}), MANAGER);
      assert.deepEqual(data ?? {}, {});
    },
  },
  {
    title: 'keyed lists merge by key: a variable removed goes, one of another manager stays',
    async run(cluster, namespace) {
      await cluster.apply(DEPLOYMENTS, deployment(namespace, 'd', 'image:1', { A: '1', B: '2' }), MANAGER);
      await cluster.apply(DEPLOYMENTS, theirs(namespace, { C: '3' }), 'somebody-else');
      const stored = await cluster.apply(DEPLOYMENTS, deployment(namespace, 'd', 'image:1', { A: '9' }), MANAGER);
      assert.deepEqual(variablesOf(stored), [
        { name: 'A', value: '9' },
        { name: 'C', value: '3' },
      ]);
    },
  },
  {
    title: 'the generation counts changes of the spec and not those of labels or status',
    async run(cluster, namespace) {
      const one = await cluster.apply(DEPLOYMENTS, deployment(namespace, 'd', 'image:1', {}), MANAGER);
      assert.equal(one.metadata.generation, 1);
      const two = await cluster.apply(DEPLOYMENTS, deployment(namespace, 'd', 'image:2', {}), MANAGER);
      assert.equal(two.metadata.generation, 2);
      const relabelled = deployment(namespace, 'd', 'image:2', {});
      relabelled.metadata.labels = { app: 'd', more: 'm' };
      assert.equal((await cluster.apply(DEPLOYMENTS, relabelled, MANAGER)).metadata.generation, 2);
      const status = { ...bare(relabelled), status: { observedGeneration: 2, replicas: 1 } };
      assert.equal((await cluster.applyStatus(DEPLOYMENTS, status, MANAGER)).metadata.generation, 2);
    },
  },
  {
    title: 'an apply does not touch the status, and a status apply nothing else',
    async run(cluster, namespace) {
      const wished = deployment(namespace, 'd', 'image:1', {});
      await cluster.apply(DEPLOYMENTS, wished, MANAGER);
      const status = { observedGeneration: 1, replicas: 1 };
      const stored = await cluster.applyStatus(DEPLOYMENTS, { ...bare(wished), status }, MANAGER);
      assert.deepEqual(stored.status, status);
      assert.equal((stored.spec as { replicas: number }).replicas, 1);
      const again = await cluster.apply(DEPLOYMENTS, wished, MANAGER);
      assert.deepEqual(again.status, status);
    },
  },
  {
    title: 'a status of what does not exist is refused as not found',
    run: (cluster, namespace) =>
      assert.rejects(
        cluster.applyStatus(DEPLOYMENTS, { ...bare(deployment(namespace, 'd', 'i', {})), status: {} }, MANAGER),
        isNotFound,
      ),
  },
  {
    title: 'an apply that names a resourceVersion lands on that version only',
    async run(cluster, namespace) {
      const first = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1' }), MANAGER);
      await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '2' }), MANAGER);
      const { resourceVersion } = identity(first);
      const late = configMap(namespace, 'a', { x: '3' }, { resourceVersion });
      await assert.rejects(cluster.apply(CONFIG_MAPS, late, MANAGER), isConflict);
      assert.deepEqual((await read(cluster, named(namespace, 'a'))).data, { x: '2' });
    },
  },
  {
    title: 'an apply that names a uid does not revive an object that is gone',
    async run(cluster, namespace) {
      const { uid } = identity(await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', {}), MANAGER));
      await cluster.delete(named(namespace, 'a'), { uid });
      await assert.rejects(cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', {}, { uid }), MANAGER), isConflict);
    },
  },
  {
    title: 'a create makes once and then says that it is there',
    async run(cluster, namespace) {
      await cluster.create(CONFIG_MAPS, configMap(namespace, 'a', { secret: 'first' }), MANAGER);
      const again = cluster.create(CONFIG_MAPS, configMap(namespace, 'a', { secret: 'second' }), MANAGER);
      await assert.rejects(again, isAlreadyExists);
      assert.deepEqual((await read(cluster, named(namespace, 'a'))).data, { secret: 'first' });
    },
  },
  {
    title: 'nothing can be made in a namespace that does not exist',
    run: (cluster, namespace) =>
      assert.rejects(cluster.apply(CONFIG_MAPS, configMap(`${namespace}-not`, 'a', {}), MANAGER), isNotFound),
  },
  {
    title: 'nothing can be made in a namespace that is being deleted',
    async run(cluster, namespace) {
      const name = `${namespace}-leaving`;
      const made = await cluster.apply(
        NAMESPACES,
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        MANAGER,
      );
      await cluster.delete({ resource: NAMESPACES, name }, identity(made));
      const leaving = await read(cluster, { resource: NAMESPACES, name });
      assert(leaving.metadata.deletionTimestamp);
      await assert.rejects(
        cluster.apply(CONFIG_MAPS, configMap(name, 'a', {}), MANAGER),
        (error) => error instanceof KubeError && error.status === 403,
      );
    },
  },
  {
    title: 'a deletion under the uid of a former object is a conflict and deletes nothing',
    async run(cluster, namespace) {
      const first = identity(await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', {}), MANAGER));
      await cluster.delete(named(namespace, 'a'), first);
      const second = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', {}), MANAGER);
      await assert.rejects(cluster.delete(named(namespace, 'a'), { uid: first.uid }), isConflict);
      assert.equal((await read(cluster, named(namespace, 'a'))).metadata.uid, second.metadata.uid);
    },
  },
  {
    title: 'a deletion under an old resourceVersion is a conflict and deletes nothing',
    async run(cluster, namespace) {
      const first = identity(await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1' }), MANAGER));
      await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '2' }), MANAGER);
      await assert.rejects(cluster.delete(named(namespace, 'a'), first), isConflict);
      await read(cluster, named(namespace, 'a'));
    },
  },
  {
    title: 'deleting what is gone is no error',
    run: (cluster, namespace) => cluster.delete(named(namespace, 'nobody'), { uid: 'f'.repeat(8) }),
  },
  {
    title: 'a finalizer holds a deleted object until it is taken off',
    async run(cluster, namespace) {
      const ref = named(namespace, 'a');
      const made = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', {}), MANAGER);
      const held = await cluster.setFinalizers(ref, made, ['example.org/hold']);
      assert.deepEqual(held.metadata.finalizers, ['example.org/hold']);
      await cluster.delete(ref, identity(held));
      const leaving = await read(cluster, ref);
      assert(leaving.metadata.deletionTimestamp);
      await assert.rejects(cluster.setFinalizers(ref, leaving, ['example.org/hold', 'example.org/late']), isInvalid);
      await cluster.setFinalizers(ref, leaving, []);
      assert.equal(await cluster.get(ref), undefined);
    },
  },
  {
    title: 'finalizers set on an older version are a conflict',
    async run(cluster, namespace) {
      const old = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1' }), MANAGER);
      await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '2' }), MANAGER);
      await assert.rejects(cluster.setFinalizers(named(namespace, 'a'), old, ['example.org/hold']), isConflict);
    },
  },
  {
    title: 'an apply that says nothing of finalizers leaves them alone',
    async run(cluster, namespace) {
      const made = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', {}), MANAGER);
      await cluster.setFinalizers(named(namespace, 'a'), made, ['example.org/hold']);
      const stored = await cluster.apply(CONFIG_MAPS, configMap(namespace, 'a', { x: '1' }), MANAGER);
      assert.deepEqual(stored.metadata.finalizers, ['example.org/hold']);
    },
  },
  {
    title: 'a list is narrowed by namespace and labels, and every item says what it is',
    async run(cluster, namespace) {
      const labelled = (name: string, colour: string) => configMap(namespace, name, {}, { labels: { colour } });
      await cluster.apply(CONFIG_MAPS, labelled('a', 'red'), MANAGER);
      await cluster.apply(CONFIG_MAPS, labelled('b', 'blue'), MANAGER);
      await cluster.apply(CONFIG_MAPS, configMap(namespace, 'c', {}), MANAGER);
      const names = async (labelSelector: string) =>
        (await cluster.list(CONFIG_MAPS, { namespace, labelSelector })).map(({ metadata }) => metadata.name);
      assert.deepEqual(await names('colour=red'), ['a']);
      assert.deepEqual(await names('colour'), ['a', 'b']);
      assert.deepEqual(await names('colour,colour!=red'), ['b']);
      assert.deepEqual(await names('colour in (red, blue)'), ['a', 'b']);
      assert.deepEqual(await names('!colour'), ['c']);
      const [item] = await cluster.list(CONFIG_MAPS, { namespace, labelSelector: 'colour=red' });
      assert.equal(item?.kind, 'ConfigMap');
      assert.equal(item?.apiVersion, 'v1');
    },
  },
];

/** The identity of an object without its content, as a status apply needs it. */
function bare({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

/** What a second manager states of the deployment `d`: variables only. */
function theirs(namespace: string, env: Record<string, string>): KubeObject {
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  const spec = { template: { spec: { containers: [{ name: 'main', env: variables }] } } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace }, spec };
}
