import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { until } from '../../../e2e/process/until.ts';
import type { Cluster, KubeObject, Resource } from '../runtime/cluster.ts';
import { customKind } from '../tenant/kinds.ts';

const definitions: Resource = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const chart = path.join(import.meta.dirname, '../../../charts/crds/templates');
/** Milliseconds until the API server serves a kind it has just learned of. */
const SERVED_TIMEOUT_MS = 30_000;

/** Applies the CustomResourceDefinitions of the crds chart and waits until the API server serves them. */
export async function installDefinitions(cluster: Cluster): Promise<void> {
  for (const file of readdirSync(chart).filter((name) => name.endsWith('.yaml'))) {
    await cluster.apply(definitions, parse(readFileSync(path.join(chart, file), 'utf8')) as KubeObject, 'helm');
  }
  for (const kind of Object.values(customKind)) {
    const served = async () => (await cluster.list(kind)).length >= 0;
    await until(`${kind.plural} to be served`, served, { timeoutMs: SERVED_TIMEOUT_MS });
  }
}
