import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../../e2e/cluster/api-server.ts';
import { loadClusterAccess } from './cluster-access.ts';
import { HttpConnection } from './http-connection.ts';
import { ATOMIC_MAPS, KEYED_LISTS, SET_LISTS } from './merge-semantics.ts';
import { ownedObjects } from './testing/owned-objects.ts';

/** The parts of an OpenAPI schema that say how server-side apply merges. */
interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
}
type Document = {
  components: { schemas: Record<string, Schema & { 'x-kubernetes-group-version-kind'?: { kind: string }[] }> };
};

/** Keyed lists and atomic maps that no object of an operator states, so the table leaves them out. */
const UNUSED = new Set(['managedFields', 'resourceClaims', 'claims', 'resizePolicy', 'podIPs', 'hostIPs', 'status']);

/** In a pod these are keyed, which the table says; in a ServiceAccount they are not, and no operator states them there. */
const KNOWN = new Set(['ServiceAccount imagePullSecrets: the server says atomic']);

let server: ApiServer;
let connection: HttpConnection;
beforeAll(async () => {
  server = await startApiServer();
  const access = await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath });
  connection = new HttpConnection({ access, userAgent: 'test' });
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});

it('the table of merge semantics is what the API server says of every kind an operator owns', async () => {
  const faults = new Set<string>();
  let looked = 0;
  for (const [{ apiVersion, kind }] of ownedObjects('any')) {
    const path = apiVersion === 'v1' ? '/openapi/v3/api/v1' : `/openapi/v3/apis/${apiVersion}`;
    const { schemas } = ((await connection.json({ method: 'GET', path })) as Document).components;
    const [root] = Object.values(schemas).filter((schema) =>
      schema['x-kubernetes-group-version-kind']?.some((named) => named.kind === kind && schema.properties?.metadata),
    );
    const resolve = (schema: Schema): Schema => {
      const target = schema.$ref ?? schema.allOf?.[0]?.$ref;
      return target === undefined ? schema : { ...schemas[target.replace('#/components/schemas/', '')], ...schema };
    };
    const visit = (field: string, given: Schema, inAtomic: boolean, depth: number) => {
      if (UNUSED.has(field) || depth > 20) return;
      const schema = resolve(given);
      looked++;
      const saysAtomicMap = schema['x-kubernetes-map-type'] === 'atomic';
      // Items of keyed lists that change as one have little but their key (`imagePullSecrets`, `ownerReferences`).
      const isItem = field === '';
      if (
        !inAtomic &&
        !isItem &&
        saysAtomicMap !== ATOMIC_MAPS.has(field) &&
        (schema.properties || schema.additionalProperties)
      )
        faults.add(`${kind} ${field}: the server says ${saysAtomicMap ? 'atomic' : 'granular'} map`);
      const listType = schema['x-kubernetes-list-type'] ?? 'atomic';
      if (!inAtomic && schema.type === 'array') {
        const keys = schema['x-kubernetes-list-map-keys']?.join() ?? '';
        const ours = KEYED_LISTS[field]?.map((list) => list.join()) ?? [];
        if (listType === 'map' && !ours.includes(keys)) faults.add(`${kind} ${field}: the server keys it by ${keys}`);
        if (listType !== 'map' && ours.length > 0) faults.add(`${kind} ${field}: the server says ${listType}`);
        if ((listType === 'set') !== SET_LISTS.has(field)) faults.add(`${kind} ${field}: the server says ${listType}`);
      }
      const atomic = inAtomic || saysAtomicMap || (schema.type === 'array' && listType === 'atomic');
      for (const [name, child] of Object.entries(schema.properties ?? {})) visit(name, child, atomic, depth + 1);
      if (schema.items) visit('', schema.items, atomic, depth + 1);
      if (schema.additionalProperties) visit('', schema.additionalProperties, atomic, depth + 1);
    };
    if (root === undefined) throw new Error(`the server does not describe ${kind}`);
    visit('', root, false, 0);
  }
  expect([...faults].filter((fault) => !KNOWN.has(fault))).toEqual([]);
  expect(looked).toBeGreaterThan(1_000);
});
