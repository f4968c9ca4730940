import { describe, expect, it } from 'vitest';
import { ApplyMemo } from '../runtime/apply-when-changed.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { tenant } from '../testing/objects.ts';
import { tenantInput } from '../testing/tenant-input.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { namespace as namespaceObject } from './desired/namespace.ts';
import type { Registered, TenantInput } from './input.ts';
import { FINALIZER, labels } from './names.ts';

const NAMESPACE = 'tenant-acme';

function object(kind: string, name: string, fields: Record<string, unknown> = {}): KubeObject {
  const apiVersions: Record<string, string> = {
    Deployment: 'apps/v1',
    StatefulSet: 'apps/v1',
    Job: 'batch/v1',
    CronJob: 'batch/v1',
    Ingress: 'networking.k8s.io/v1',
    NetworkPolicy: 'networking.k8s.io/v1',
  };
  const part = name === 'open-webui' || name === 'litellm' ? name : 'x';
  const metadata = {
    name,
    namespace: NAMESPACE,
    uid: `uid-${kind}-${name}`,
    resourceVersion: '1',
    labels: labels('acme', part),
  };
  return { apiVersion: apiVersions[kind] ?? 'v1', kind, metadata, ...fields };
}

const own: KubeObject = {
  ...namespaceObject({ tenant: { name: 'acme', uid: 'uid-acme' }, namespace: NAMESPACE }),
};
const volumes = [object('PersistentVolumeClaim', 'postgres-data'), object('PersistentVolumeClaim', 'postgres-backup')];
const secrets = ['postgres', 'redis', 'open-webui', 'gateway-credentials', 'provider-keys', 'tls'].map((name) =>
  object('Secret', name),
);
const workloads = [
  object('Ingress', 'tenant'),
  object('Deployment', 'litellm'),
  object('Deployment', 'open-webui'),
  object('StatefulSet', 'postgres'),
];
const guard = object('NetworkPolicy', 'default-deny');
const pod = object('Pod', 'open-webui');

const registered: Registered = {
  answer: 'known',
  tenant: {
    state: 'open',
    registration: {} as never,
    budget: { grantedNanoEur: '1', postedNanoEur: '0', heldNanoEur: '0', availableNanoEur: '1', resetsAt: '' },
  },
};

function deleted(policy: string, fields: Partial<TenantInput> = {}): TenantInput {
  const metadata = { finalizers: [FINALIZER], deletionTimestamp: '2026-03-02T11:59:00Z' };
  return tenantInput({
    tenant: tenant('acme', { deletionPolicy: policy }, metadata),
    namespace: own,
    registered,
    ...fields,
  });
}

const listed = ({ actions }: Decision) =>
  actions.map((action) =>
    'object' in action
      ? `${action.do} ${action.object.kind}/${action.object.metadata.name}`
      : action.do === 'close'
        ? `close ${action.data}`
        : action.do,
  );
const ready = ({ status }: Decision) => status?.conditions?.find(({ type }) => type === 'Ready');

describe('deleting a Tenant by policy Delete', () => {
  it('stops what runs before it deletes the namespace', () => {
    const decision = decide(deleted('Delete', { owned: [...workloads, ...secrets, ...volumes, guard], pods: [pod] }));
    expect(listed(decision)).toEqual([
      'close erase',
      'delete Ingress/tenant',
      'delete Deployment/litellm',
      'delete Deployment/open-webui',
      'delete StatefulSet/postgres',
    ]);
    expect(ready(decision)).toMatchObject({ status: 'False', reason: 'Deleting' });
  });

  it('deletes the namespace once nothing runs, and nothing a second time', () => {
    const rest = [...secrets, ...volumes, guard];
    expect(listed(decide(deleted('Delete', { owned: rest })))).toEqual(['close erase', 'delete Namespace/tenant-acme']);
    const going = { ...own, metadata: { ...own.metadata, deletionTimestamp: '2026-03-02T11:59:30Z' } };
    const later = deleted('Delete', { owned: rest, namespace: going, registered: { answer: 'unknown' } });
    expect(listed(decide(later))).toEqual([]);
  });

  it('lets the Tenant go when the namespace is gone', () => {
    const decision = decide(deleted('Delete', { namespace: undefined }));
    expect(listed(decision)).toEqual(['close erase', 'setFinalizers']);
    expect(decision.status).toBeUndefined();
  });

  it('waits for a control plane that is away before it lets go', () => {
    const away: Registered = { answer: 'unreachable', message: 'the control plane does not answer' };
    const decision = decide(deleted('Delete', { namespace: undefined, registered: away }));
    expect(listed(decision)).toEqual([]);
    expect(ready(decision)).toMatchObject({ reason: 'ControlPlaneUnreachable' });
  });

  it.each([
    ['without our labels', { ...own, metadata: { name: NAMESPACE } }],
    [
      'of another Tenant of the same name',
      namespaceObject({ tenant: { name: 'acme', uid: 'another' }, namespace: NAMESPACE }),
    ],
  ])('never touches a namespace %s', (_what, namespace) => {
    expect(listed(decide(deleted('Delete', { namespace, owned: workloads })))).toEqual([
      'close erase',
      'setFinalizers',
    ]);
  });

  it('does nothing about a Tenant it never took on', () => {
    const stranger = tenant('acme', {}, { finalizers: ['other/finalizer'], deletionTimestamp: '2026-03-02T11:59:00Z' });
    expect(listed(decide(tenantInput({ tenant: stranger, namespace: own })))).toEqual([]);
  });
});

describe('deleting a Tenant by policy Retain', () => {
  it('removes all but the namespace, the volumes and the Secrets of the data, guards last', () => {
    const first = decide(deleted('Retain', { owned: [...workloads, ...secrets, ...volumes, guard], pods: [pod] }));
    expect(listed(first)).toEqual([
      'apply Namespace/tenant-acme',
      'delete Ingress/tenant',
      'delete Deployment/litellm',
      'delete Deployment/open-webui',
      'delete StatefulSet/postgres',
      'delete Secret/provider-keys',
      'delete Secret/tls',
    ]);
    const [marked] = first.actions;
    expect(marked?.do === 'apply' && marked.object.metadata.annotations).toMatchObject({
      'cloudfreedom.de/retained': 'Retain',
    });
    const second = decide(deleted('Retain', { owned: [...secrets.slice(0, 4), ...volumes, guard] }));
    expect(listed(second)).toContain('delete NetworkPolicy/default-deny');
  });

  it('is what happens when the spec cannot be read', () => {
    const broken = deleted('Delete', { owned: volumes, pods: [pod] });
    const unreadable = { ...broken.tenant, spec: { deletionPolicy: 'Everything' } };
    expect(listed(decide({ ...broken, tenant: unreadable }))).toEqual(['apply Namespace/tenant-acme']);
  });
});

describe('deleting a Tenant by policy Snapshot', () => {
  const managed = [object('StatefulSet', 'postgres'), ...volumes, ...secrets];

  it('stops the chat before the last backup', () => {
    const decision = decide(deleted('Snapshot', { owned: [...workloads, ...volumes, ...secrets], pods: [pod] }));
    expect(listed(decision)).toEqual([
      'delete Ingress/tenant',
      'delete Deployment/litellm',
      'delete Deployment/open-webui',
    ]);
    expect(ready(decision)).toMatchObject({ reason: 'SnapshotPending' });
  });

  it('then takes it while the database still runs', () => {
    const decision = decide(
      deleted('Snapshot', {
        owned: managed,
        applying: { fieldManager: 'x', hashAnnotation: 'y', memo: new ApplyMemo() },
      }),
    );
    expect(listed(decision)).toEqual([
      'apply ServiceAccount/postgres-backup',
      'apply PersistentVolumeClaim/postgres-backup',
      'apply Job/final-backup',
    ]);
  });

  it('deletes nothing when it failed', () => {
    const failed = object('Job', 'final-backup', { status: { conditions: [{ type: 'Failed', status: 'True' }] } });
    const decision = decide(deleted('Snapshot', { owned: [...managed, failed] }));
    expect(listed(decision)).toEqual([]);
    expect(ready(decision)).toMatchObject({ status: 'False', reason: 'SnapshotFailed' });
  });

  it('removes the rest once it has succeeded', () => {
    const done = object('Job', 'final-backup', { status: { conditions: [{ type: 'Complete', status: 'True' }] } });
    const actions = listed(decide(deleted('Snapshot', { owned: [...managed, done] })));
    expect(actions).toContain('delete PersistentVolumeClaim/postgres-data');
    expect(actions).toContain('delete StatefulSet/postgres');
    expect(actions).toContain('delete Secret/gateway-credentials');
    for (const kept of ['PersistentVolumeClaim/postgres-backup', 'Secret/postgres', 'Secret/open-webui']) {
      expect(actions).not.toContain(`delete ${kept}`);
    }
  });
});
