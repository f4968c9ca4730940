import { createHash } from 'node:crypto';
import type { Kubectl, Printed } from '../platform/kubectl.ts';

/** The kinds the operator writes into a tenant's namespace. */
const OWNED_KINDS = [
  'configmaps',
  'cronjobs.batch',
  'deployments.apps',
  'ingresses.networking.k8s.io',
  'limitranges',
  'networkpolicies.networking.k8s.io',
  'persistentvolumeclaims',
  'poddisruptionbudgets.policy',
  'resourcequotas',
  'secrets',
  'serviceaccounts',
  'services',
  'statefulsets.apps',
];

/** Every object of a tenant by `kind/name`, as the operator wrote it. */
export async function ownedObjects(kubectl: Kubectl, tenant: string, namespace: string): Promise<Map<string, Printed>> {
  const list = await kubectl.json(OWNED_KINDS.join(','), '-n', namespace, '-l', `cloudfreedom.de/tenant=${tenant}`);
  return new Map(list.items.map((item: Printed) => [`${item.kind}/${item.metadata.name}`, item]));
}

/**
 * One fingerprint for each object of a tenant: what its owner wished, without what other controllers report back. Two
 * equal maps mean that nobody wrote a wish in between.
 */
export async function fingerprints(kubectl: Kubectl, tenant: string, namespace: string): Promise<Map<string, string>> {
  const objects = await ownedObjects(kubectl, tenant, namespace);
  return new Map([...objects].map(([key, object]) => [key, fingerprint(object)]));
}

/** The operator's own last write of each object, as the API server recorded it in `managedFields`. */
export async function lastWrites(kubectl: Kubectl, tenant: string, namespace: string): Promise<Map<string, string>> {
  const managed = [OWNED_KINDS.join(','), '-n', namespace, '-l', `cloudfreedom.de/tenant=${tenant}`];
  const list = await kubectl.json(...managed, '--show-managed-fields');
  return new Map(
    list.items.map((item: Printed) => [
      `${item.kind}/${item.metadata.name}`,
      (item.metadata.managedFields ?? [])
        .filter((entry: Printed) => entry.manager === 'cloudfreedom-operator')
        .map((entry: Printed) => entry.time)
        .join(),
    ]),
  );
}

function fingerprint({ metadata, status: _status, ...wish }: Printed): string {
  const kept = { labels: metadata.labels, annotations: metadata.annotations, generation: metadata.generation, wish };
  return createHash('sha256').update(JSON.stringify(kept)).digest('hex');
}

/** The keys whose value differs between two maps, sorted. */
export function changedKeys(before: Map<string, string>, after: Map<string, string>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key)).sort();
}
