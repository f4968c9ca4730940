import { TenantSpec } from '@cloudfreedom/crds/tenant.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { deployment, model, plan, tenant } from '../testing/objects.ts';
import { listed, settled } from '../testing/settled.ts';
import { tenantInput } from '../testing/tenant-input.ts';
import { decide } from './decide.ts';

/** Fields whose effect another test shows, and which. */
const shownElsewhere: Record<string, string> = {
  'storage.className': 'below',
  'postgres.externalSecretName': 'golden external-postgres',
  deletionPolicy: 'deletion.test.ts',
};

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  allOf?: Schema[];
}

/** Paths of all fields that hold a value: `components.redis.cpuLimit`. */
function leaves(schema: Schema, path = ''): string[] {
  const properties = schema.properties ?? schema.allOf?.find((each) => each.properties)?.properties;
  if (!properties) return [path];
  return Object.entries(properties).flatMap(([name, child]) => leaves(child, path === '' ? name : `${path}.${name}`));
}

describe('what follows from a single field', () => {
  // Every field of the spec must show in what is made, or it would be a promise that nobody keeps.
  const base = { components: { liteLlm: { replicas: 2 } } };
  const fields: [string, Record<string, unknown>, string[]][] = [
    ['displayName', { displayName: 'Other' }, ['apply Deployment/open-webui', 'register']],
    ['plan', { plan: 'other' }, ['apply ResourceQuota/tenant', 'register']],
    ['language', { language: 'en' }, ['apply Deployment/litellm', 'apply Deployment/open-webui', 'register']],
    ['timeZone', { timeZone: 'UTC' }, ['apply CronJob/postgres-backup', 'register']],
    ['hostname', { hostname: 'other' }, ['apply Deployment/open-webui', 'apply Ingress/tenant', 'register']],
    [
      'customDomains',
      { customDomains: ['ai.acme.example'] },
      ['apply Deployment/open-webui', 'apply Ingress/tenant', 'register'],
    ],
    [
      'models',
      { models: ['gpt-4o-mini'] },
      [
        'apply Secret/provider-keys',
        'apply ConfigMap/litellm-config',
        'apply Deployment/litellm',
        'apply Deployment/open-webui',
        'register',
      ],
    ],
    [
      'dataResidency',
      { dataResidency: 'eu' },
      ['apply Secret/provider-keys', 'apply ConfigMap/litellm-config', 'apply Deployment/litellm', 'register'],
    ],
    ['budget.monthlyEur', { budget: { monthlyEur: '5.00' } }, ['register']],
    ['budget.memberMonthlyEur', { budget: { memberMonthlyEur: '5.00' } }, ['register']],
    ['budget.keyMonthlyEur', { budget: { keyMonthlyEur: '5.00' } }, ['register']],
    ['budget.alertThresholdsPercent', { budget: { alertThresholdsPercent: [10] } }, ['register']],
    ...['requestsPerMinute', 'tokensPerMinute', 'userRequestsPerMinute', 'userTokensPerMinute'].map(
      (name): [string, Record<string, unknown>, string[]] => [
        `rateLimits.${name}`,
        { rateLimits: { [name]: 5 } },
        ['apply Deployment/litellm'],
      ],
    ),
    ['branding.title', { branding: { title: 'Other' } }, ['apply Deployment/open-webui']],
    ['branding.bannerText', { branding: { bannerText: 'Hello' } }, ['apply Deployment/open-webui']],
    ['components.liteLlm.replicas', { components: { liteLlm: { replicas: 1 } } }, ['apply Deployment/litellm']],
    ...['cpuRequest', 'cpuLimit', 'memoryRequest', 'memoryLimit'].flatMap(
      (size): [string, Record<string, unknown>, string[]][] =>
        (
          [
            ['liteLlm', 'Deployment/litellm'],
            ['openWebUi', 'Deployment/open-webui'],
            ['postgres', 'StatefulSet/postgres'],
            ['redis', 'StatefulSet/redis'],
          ] as const
        ).map(([part, workload]) => [
          `components.${part}.${size}`,
          {
            components: {
              ...base.components,
              [part]: { ...(part === 'liteLlm' && { replicas: 2 }), [size]: size.startsWith('cpu') ? '700m' : '700Mi' },
            },
          },
          [`apply ${workload}`],
        ]),
    ),
    [
      'components.openWebUi.replicas',
      { components: { ...base.components, openWebUi: { replicas: 2 } } },
      ['apply Deployment/open-webui'],
    ],
    ['storage.postgresSize', { storage: { postgresSize: '3Gi' } }, ['apply PersistentVolumeClaim/postgres-data']],
    ['storage.redisSize', { storage: { redisSize: '3Gi' } }, ['apply PersistentVolumeClaim/redis-data']],
    ['storage.backupSize', { storage: { backupSize: '3Gi' } }, ['apply PersistentVolumeClaim/postgres-backup']],
    ['backup.schedule', { backup: { schedule: '0 1 * * *' } }, ['apply CronJob/postgres-backup']],
    ['backup.keep', { backup: { keep: 3 } }, ['apply CronJob/postgres-backup']],
    [
      'backup.enabled',
      { backup: { enabled: false } },
      ['delete ServiceAccount/postgres-backup', 'delete CronJob/postgres-backup'],
    ],
    ['owners', { owners: ['other@acme.example'] }, ['register']],
    [
      'suspended',
      { suspended: true },
      ['apply Deployment/litellm', 'apply Deployment/open-webui', 'apply CronJob/chat-data', 'register'],
    ],
  ];

  const models = ['gpt-4o', 'gpt-4o-mini'].map((name) =>
    model(name, {
      deployments: [deployment('us'), ...(name === 'gpt-4o' ? [deployment('eu', { residency: 'eu' })] : [])],
    }),
  );
  const plans = [plan(), plan('other', { monthlyBudgetEur: '100.00', quota: { pods: 50 } })];

  it.each(fields)('%s changes what depends on it and nothing else', (_field, change, expected) => {
    const input = settled({ tenant: tenant('acme', base), models, plans });
    const changed = { ...input.tenant, spec: { ...(input.tenant.spec as object), ...change } };
    expect(listed(decide({ ...input, tenant: changed }))).toEqual(expected);
  });

  it('there is no field whose effect nobody shows', () => {
    const schema = z.toJSONSchema(TenantSpec, { io: 'input', unrepresentable: 'any' }) as Schema;
    const shown = [...fields.map(([field]) => field), ...Object.keys(shownElsewhere)];
    expect(leaves(schema).sort()).toEqual(shown.sort());
  });

  it('storage.className and the bootstrap account show in what is made at first', () => {
    const first = decide(tenantInput({ tenant: tenant('acme', { storage: { className: 'fast' } }) }));
    const claims = first.actions.flatMap((action) =>
      action.do === 'apply' && action.object.kind === 'PersistentVolumeClaim' ? [action.object.spec] : [],
    );
    expect(claims).toHaveLength(3);
    for (const claim of claims) expect(claim).toMatchObject({ storageClassName: 'fast' });
    const account = first.actions.find(
      (action) => action.do === 'create' && action.object.metadata.name === 'open-webui',
    );
    expect(account?.do === 'create' && account.object.data).toMatchObject({
      WEBUI_ADMIN_EMAIL: Buffer.from('bootstrap@acme.invalid').toString('base64'),
    });
  });
});
