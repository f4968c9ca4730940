import assert from 'node:assert/strict';
import { until } from '../../../e2e/process/until.ts';
import { ownedKind } from '../tenant/kinds.ts';
import { component, namespaceName, objectName } from '../tenant/names.ts';
import {
  apply,
  changed,
  condition,
  deleteOwned,
  gone,
  namesOf,
  PATIENCE,
  partsBecomeAvailable,
  type Rig,
  readTenant,
  ready,
  releaseVolumes,
  remove,
  reportJob,
  SOMEBODY,
  secretsOf,
  versions,
} from './tenant-steps.ts';

/** A statement about the operator that must hold on the real API server and on the fake one alike. */
export interface TenantScenario {
  title: string;
  run(rig: Rig, name: string): Promise<void>;
}

export const tenantScenarios: TenantScenario[] = [
  {
    title: 'a Tenant becomes a namespace full of parts, is registered, and Ready when they are',
    async run(rig, name) {
      await apply(rig, name);
      await condition(rig, name, 'Reconciling', 'True', 'Progressing');
      await partsBecomeAvailable(rig, name);
      await condition(rig, name, 'Ready', 'True', 'Available');
      const { status } = await readTenant(rig, name);
      const { url, namespace, observedGeneration } = status as Record<string, unknown>;
      assert.deepEqual(
        { url, namespace, observedGeneration },
        { url: `https://${name}.example.org`, namespace: namespaceName(name), observedGeneration: 1 },
      );
      assert.deepEqual(rig.controlPlane.tenants.get(name)?.registration.models, ['gpt-4o', 'gpt-4o-mini']);
    },
  },
  {
    title: 'a restarted operator finds everything in order and writes nothing',
    async run(rig, name) {
      await ready(rig, name);
      await rig.quiet();
      const before = await versions(rig, name);
      const told = rig.controlPlane.writes.length;
      await rig.restart();
      await rig.quiet();
      assert.deepEqual(await versions(rig, name), before);
      assert.equal(rig.controlPlane.writes.length, told);
    },
  },
  {
    title: 'a changed field writes only what depends on it',
    async run(rig, name) {
      await ready(rig, name);
      await rig.quiet();
      const before = await versions(rig, name);
      await apply(rig, name, { branding: { title: 'Acme Assistant' } });
      await condition(rig, name, 'Ready', 'False', 'Progressing');
      await rig.quiet();
      assert.deepEqual(changed(before, await versions(rig, name)), [
        `Deployment/${component.openWebUi}`,
        `Tenant/${name}`,
      ]);
    },
  },
  {
    title: 'what somebody changes, opens or deletes by hand is put back',
    async run(rig, name) {
      await ready(rig, name);
      const namespace = namespaceName(name);
      const policy = { resource: ownedKind.networkPolicy, namespace, name: 'default-deny' };
      const opened = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'default-deny', namespace },
        spec: { ingress: [{}], podSelector: { matchLabels: { app: 'none' } } },
      };
      await rig.cluster.apply(ownedKind.networkPolicy, opened, SOMEBODY);
      await deleteOwned(rig, ownedKind.service, namespace, component.liteLlm);
      await until(
        'the repair',
        async () => {
          const spec = (await rig.cluster.get(policy))?.spec as { ingress?: unknown[]; podSelector: object };
          const service = await rig.cluster.get({ resource: ownedKind.service, namespace, name: component.liteLlm });
          return (spec.ingress ?? []).length === 0 && Object.keys(spec.podSelector).length === 0 && service
            ? true
            : undefined;
        },
        PATIENCE,
      );
    },
  },
  {
    title: 'an object that is no longer wished is removed, and its data kept',
    async run(rig, name) {
      await ready(rig, name);
      const namespace = namespaceName(name);
      await apply(rig, name, { backup: { enabled: false } });
      await until(
        'the schedule to be gone',
        async () => {
          const left = await rig.cluster.get({ resource: ownedKind.cronJob, namespace, name: component.backup });
          return left === undefined ? true : undefined;
        },
        PATIENCE,
      );
      await rig.quiet();
      assert(
        await rig.cluster.get({ resource: ownedKind.persistentVolumeClaim, namespace, name: objectName.backupVolume }),
      );
    },
  },
  {
    title: 'an unknown plan makes nothing but a sentence, and is taken back as soon as it is corrected',
    async run(rig, name) {
      await apply(rig, name, { plan: 'platinum' });
      const message = await condition(rig, name, 'Stalled', 'True', 'PlanNotFound');
      assert.match(message, /platinum.*professional/);
      assert.equal(await rig.cluster.get({ resource: ownedKind.namespace, name: namespaceName(name) }), undefined);
      await ready(rig, name);
    },
  },
  {
    title: 'a change that cannot be met leaves what runs as it is',
    async run(rig, name) {
      await ready(rig, name);
      await rig.quiet();
      const before = await versions(rig, name);
      await apply(rig, name, { models: ['gpt-nope'], branding: { title: 'Half made' } });
      await condition(rig, name, 'Stalled', 'True', 'ModelNotFound');
      await rig.quiet();
      assert.deepEqual(changed(before, await versions(rig, name)), [`Tenant/${name}`]);
    },
  },
  {
    title: 'a host name belongs to the older Tenant, and to the next one when that is gone',
    async run(rig, name) {
      await apply(rig, name, { hostname: `${name}-host`, deletionPolicy: 'Retain' });
      await condition(rig, name, 'Reconciling', 'True', 'Progressing');
      const second = `${name}-second`;
      await until('another second', () => (Date.now() % 1000 < 100 ? true : undefined), PATIENCE);
      await apply(rig, second, { hostname: `${name}-host` });
      const message = await condition(rig, second, 'Stalled', 'True', 'HostnameTaken');
      assert.match(message, new RegExp(`"${name}-host.example.org".*"${name}"`));
      await remove(rig, name);
      await gone(rig, name);
      await condition(rig, second, 'Reconciling', 'True', 'Progressing');
    },
  },
  {
    title: "a namespace of somebody else's is never touched",
    async run(rig, name) {
      const foreign = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespaceName(name), labels: { team: 'other' } },
      };
      const made = await rig.cluster.apply(ownedKind.namespace, foreign, SOMEBODY);
      await apply(rig, name, { deletionPolicy: 'Delete' });
      await condition(rig, name, 'Stalled', 'True', 'NamespaceTaken');
      await remove(rig, name);
      await gone(rig, name);
      const left = await rig.cluster.get({ resource: ownedKind.namespace, name: namespaceName(name) });
      assert.equal(left?.metadata.resourceVersion, made.metadata.resourceVersion);
    },
  },
  {
    title: 'a retained Tenant leaves its volumes and Secrets, and has them back when it is applied again',
    async run(rig, name) {
      await ready(rig, name);
      const namespace = namespaceName(name);
      const before = await secretsOf(rig, namespace);
      await remove(rig, name);
      await gone(rig, name);
      assert.deepEqual(await namesOf(rig, ownedKind.deployment, namespace), []);
      assert.deepEqual(await namesOf(rig, ownedKind.ingress, namespace), []);
      assert.deepEqual(await namesOf(rig, ownedKind.persistentVolumeClaim, namespace), [
        'postgres-backup',
        'postgres-data',
        'redis-data',
      ]);
      assert.equal((await secretsOf(rig, namespace)).has('provider-keys'), false);
      assert.equal(rig.controlPlane.tenants.get(name)?.state, 'closed');
      await ready(rig, name);
      assert.deepEqual(await secretsOf(rig, namespace), before);
      assert.equal(rig.controlPlane.tenants.get(name)?.state, 'open');
    },
  },
  {
    title: 'a snapshot is taken before anything is deleted, and its volume is all that stays',
    async run(rig, name) {
      await ready(rig, name, { deletionPolicy: 'Snapshot' });
      const namespace = namespaceName(name);
      await remove(rig, name);
      const job = await until(
        'the last backup',
        async () => rig.cluster.get({ resource: ownedKind.job, namespace, name: objectName.finalBackup }),
        PATIENCE,
      );
      assert(await rig.cluster.get({ resource: ownedKind.statefulSet, namespace, name: component.postgres }));
      await reportJob(rig, job, 'Failed');
      await condition(rig, name, 'Stalled', 'True', 'SnapshotFailed');
      assert(await rig.cluster.get({ resource: ownedKind.statefulSet, namespace, name: component.postgres }));
      await deleteOwned(rig, ownedKind.job, namespace, objectName.finalBackup);
      const again = await until(
        'another last backup',
        async () => {
          const found = await rig.cluster.get({ resource: ownedKind.job, namespace, name: objectName.finalBackup });
          return found && found.metadata.uid !== job.metadata.uid ? found : undefined;
        },
        PATIENCE,
      );
      await reportJob(rig, again, 'Complete');
      await releaseVolumes(rig, namespace, ['postgres-data', 'redis-data']);
      await gone(rig, name);
      assert.deepEqual(await namesOf(rig, ownedKind.persistentVolumeClaim, namespace), ['postgres-backup']);
      assert.deepEqual([...(await secretsOf(rig, namespace)).keys()].sort(), ['open-webui', 'postgres']);
    },
  },
  {
    title: 'a control plane that is away delays registration alone, and is caught up with',
    async run(rig, name) {
      rig.controlPlane.away = true;
      try {
        await apply(rig, name);
        await condition(rig, name, 'BudgetReady', 'False', 'ControlPlaneUnreachable');
        assert(
          await rig.cluster.get({
            resource: ownedKind.deployment,
            namespace: namespaceName(name),
            name: component.liteLlm,
          }),
        );
      } finally {
        rig.controlPlane.away = false;
      }
      await condition(rig, name, 'BudgetReady', 'True', 'Registered');
    },
  },
  {
    title: 'a registration that is refused is told with the reason, and tried again',
    async run(rig, name) {
      rig.controlPlane.refusal = 'the plan is not known here';
      try {
        await apply(rig, name);
        assert.match(await condition(rig, name, 'Stalled', 'True', 'ControlPlaneRefused'), /plan is not known here/);
      } finally {
        rig.controlPlane.refusal = undefined;
      }
      await condition(rig, name, 'BudgetReady', 'True', 'Registered');
    },
  },
  {
    title: 'a provider key that is rotated reaches the gateway, which is rolled',
    async run(rig, name) {
      await ready(rig, name);
      await rig.quiet();
      const before = await versions(rig, name);
      await rig.cluster.apply(
        ownedKind.secret,
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'openai', namespace: 'cloudfreedom-system' },
          data: { 'api-key': Buffer.from(`sk-rotated-for-${name}`).toString('base64') },
        },
        SOMEBODY,
      );
      await condition(rig, name, 'LiteLLMReady', 'False', 'Progressing');
      await rig.quiet();
      assert.deepEqual(changed(before, await versions(rig, name)), [
        'Deployment/litellm',
        'Secret/provider-keys',
        `Tenant/${name}`,
      ]);
    },
  },
  {
    title: 'a generated Secret that was emptied is never filled anew silently',
    async run(rig, name) {
      await ready(rig, name);
      const namespace = namespaceName(name);
      const emptied = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'postgres', namespace },
        data: { POSTGRES_PASSWORD: '' },
      };
      await rig.cluster.apply(ownedKind.secret, emptied, SOMEBODY);
      assert.match(await condition(rig, name, 'Stalled', 'True', 'SecretKeyMissing'), /POSTGRES_PASSWORD/);
      await deleteOwned(rig, ownedKind.secret, namespace, 'postgres');
      await condition(rig, name, 'Stalled', 'True', 'SecretMissing');
      await rig.quiet();
      assert.equal(await rig.cluster.get({ resource: ownedKind.secret, namespace, name: 'postgres' }), undefined);
    },
  },
];
