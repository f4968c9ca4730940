import { describe, expect, it } from 'vitest';
import { wishHash } from '../runtime/apply-when-changed.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { deployment, model, plan, secret, tenant } from '../testing/objects.ts';
import { settings, tenantInput } from '../testing/tenant-input.ts';
import { decide } from './decide.ts';
import type { Action, Decision } from './decision.ts';
import type { TenantInput } from './input.ts';
import { APPLIED_HASH_ANNOTATION, FIELD_MANAGER, FINALIZER, labels } from './names.ts';
import { freshSecrets } from './secrets.ts';

/** Actions as `do Kind/name`, for tables. */
const listed = ({ actions }: Decision) =>
  actions.map((action) =>
    'object' in action ? `${action.do} ${action.object.kind}/${action.object.metadata.name}` : action.do,
  );

const conditionOf = ({ status }: Decision, type: string) => status?.conditions?.find((each) => each.type === type);

/** The input as it is once everything that was decided has been carried out and every part is available. */
function settled(fields: Partial<TenantInput> = {}): TenantInput {
  const input = tenantInput(fields);
  const { actions } = decide(input);
  const stored = actions.flatMap((action) => (action.do === 'apply' || action.do === 'create' ? [store(action)] : []));
  const registration = actions.find((action) => action.do === 'register')?.registration;
  const budget = {
    grantedNanoEur: '100000000000',
    postedNanoEur: '0',
    heldNanoEur: '0',
    availableNanoEur: '100000000000',
    resetsAt: '2026-04-01T00:00:00Z',
  };
  const { metadata, ...rest } = input.tenant;
  const after: TenantInput = {
    ...input,
    tenant: { ...rest, metadata: { ...metadata, finalizers: [FINALIZER] } },
    namespace: stored.find(({ kind }) => kind === 'Namespace'),
    owned: stored,
    registered: registration ? { answer: 'known', tenant: { state: 'open', registration, budget } } : input.registered,
  };
  return { ...after, tenant: { ...after.tenant, status: decide(after).status } };
}

/** An object as the API server holds it after the operator's write, available where that means something. */
function store(action: Extract<Action, { do: 'apply' | 'create' }>): KubeObject {
  const { metadata, ...rest } = action.object;
  const hash = action.do === 'apply' ? { [APPLIED_HASH_ANNOTATION]: wishHash(action.object) } : {};
  const { replicas = 1 } = (rest.spec ?? {}) as { replicas?: number };
  return {
    ...rest,
    metadata: {
      ...metadata,
      uid: `uid-${rest.kind}-${metadata.name}`,
      generation: 1,
      annotations: { ...metadata.annotations, ...hash },
      managedFields: [{ manager: FIELD_MANAGER, operation: 'Apply' }],
    },
    ...(['Deployment', 'StatefulSet'].includes(rest.kind) && {
      status: { observedGeneration: 1, replicas, updatedReplicas: replicas, availableReplicas: replicas },
    }),
  };
}

describe('a Tenant whose wish can be met', () => {
  it('is Ready and nothing is done once everything is as wished', () => {
    const decision = decide(settled());
    expect(listed(decision)).toEqual([]);
    expect(conditionOf(decision, 'Ready')).toMatchObject({ status: 'True', reason: 'Available', message: '' });
    expect(conditionOf(decision, 'Stalled')).toMatchObject({ status: 'False' });
  });

  it('has the same status when it is looked at again later', () => {
    const input = settled();
    expect(decide({ ...input, now: input.now + 3_600_000 }).status).toEqual(input.tenant.status);
  });

  it('is not undone by a control plane that is away', () => {
    const input = settled();
    const decision = decide({
      ...input,
      registered: { answer: 'unreachable', message: 'the control plane does not answer' },
    });
    expect(listed(decision)).toEqual([]);
    expect(decision.status).toEqual(input.tenant.status);
    expect(decision.requeueAfterMs).toBeLessThan(10_000);
  });

  it('is registered again when the control plane has forgotten it, or closed it', () => {
    const input = settled();
    expect(listed(decide({ ...input, registered: { answer: 'unknown' } }))).toEqual(['register']);
    if (input.registered.answer !== 'known') throw new Error('it is registered');
    const closed = { ...input.registered.tenant, state: 'closed' as const };
    expect(listed(decide({ ...input, registered: { answer: 'known', tenant: closed } }))).toEqual(['register']);
  });

  it('takes a namespace up again that an earlier Tenant of its name left behind', () => {
    const input = settled();
    const again = tenant('acme', {}, { uid: 'uid-of-its-successor', finalizers: [FINALIZER] });
    const decision = decide({ ...input, tenant: again });
    expect(listed(decision)).toEqual(['apply Namespace/tenant-acme', 'register']);
  });

  it('starts one chat pod before the others, which would migrate the same database', () => {
    const wished = tenant('acme', { components: { openWebUi: { replicas: 3 } } });
    const chat = ({ actions }: Decision) =>
      actions.flatMap((action) =>
        action.do === 'apply' && action.object.kind === 'Deployment' && action.object.metadata.name === 'open-webui'
          ? [(action.object.spec as { replicas: number }).replicas]
          : [],
      );
    expect(chat(decide(tenantInput({ tenant: wished })))).toEqual([1]);
    expect(chat(decide(settled({ tenant: wished })))).toEqual([3]);
  });

  it('leaves Models of its plan out whose key is missing, and says so', () => {
    const models = [
      model('gpt-4o'),
      model('claude', { deployments: [deployment('primary', { apiKeySecret: { name: 'anthropic' } })] }),
    ];
    const decision = decide(settled({ models }));
    expect(conditionOf(decision, 'Ready')?.status).toBe('True');
    expect(conditionOf(decision, 'LiteLLMReady')?.message).toContain('Secret "anthropic"');
  });
});

describe('a Tenant whose wish cannot be met', () => {
  const withSpec = (spec: Record<string, unknown>) => ({ tenant: tenant('acme', spec) });
  const cases: [string, Partial<TenantInput>, string, RegExp][] = [
    ['a spec that breaks a rule', withSpec({ owners: [] }), 'InvalidSpec', /spec\.owners/],
    ['a name that is no DNS label', { tenant: tenant('acme.corp') }, 'InvalidSpec', /metadata\.name/],
    ['a reserved host name', withSpec({ hostname: 'api' }), 'InvalidSpec', /api/],
    ['an unknown plan', withSpec({ plan: 'platinum' }), 'PlanNotFound', /"platinum".*professional/],
    ['a plan that is invalid', { plans: [plan('professional', { modelClasses: [] })] }, 'PlanNotFound', /professional/],
    [
      'no budget anywhere',
      { plans: [plan('professional', { monthlyBudgetEur: undefined })] },
      'BudgetMissing',
      /spec\.budget\.monthlyEur/,
    ],
    ['an unknown model', withSpec({ models: ['gpt-nope'] }), 'ModelNotFound', /"gpt-nope".*gpt-4o, gpt-4o-mini/],
    [
      'a model outside the plan',
      { ...withSpec({ models: ['gpt-4o'] }), plans: [plan('professional', { modelClasses: ['mini'] })] },
      'ModelNotInPlan',
      /"gpt-4o"/,
    ],
    [
      'a residency that a named model lacks',
      withSpec({ models: ['gpt-4o'], dataResidency: 'eu' }),
      'ResidencyImpossible',
      /"eu"/,
    ],
    ['a residency that no model has', withSpec({ dataResidency: 'eu' }), 'NoModels', /"eu"/],
    ['no models at all', { models: [] }, 'NoModels', /mini, full/],
    [
      'a missing provider Secret',
      { ...withSpec({ models: ['gpt-4o'] }), platformSecrets: {} },
      'SecretMissing',
      /"openai".*"api-key"/,
    ],
    ['a missing provider Secret of the only models there are', { platformSecrets: {} }, 'SecretMissing', /"openai"/],
    [
      'an empty provider key',
      { ...withSpec({ models: ['gpt-4o'] }), platformSecrets: { openai: { 'api-key': '' } } },
      'SecretKeyMissing',
      /"openai".*"api-key"/,
    ],
    [
      'a custom domain below the base domain',
      withSpec({ customDomains: ['other.example.org'] }),
      'InvalidSpec',
      /spec\.hostname/,
    ],
    [
      'a host name that is taken',
      { rivals: [tenant('older', { hostname: 'acme' }, { creationTimestamp: '2026-02-01T08:00:00Z' })] },
      'HostnameTaken',
      /acme\.example\.org.*"older"/,
    ],
    [
      'a custom domain that is taken',
      {
        ...withSpec({ customDomains: ['ai.acme.example'] }),
        rivals: [
          tenant('older', { customDomains: ['ai.acme.example'] }, { creationTimestamp: '2026-02-01T08:00:00Z' }),
        ],
      },
      'HostnameTaken',
      /ai\.acme\.example/,
    ],
    [
      "a namespace that is somebody else's",
      { namespace: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tenant-acme' } } },
      'NamespaceTaken',
      /"tenant-acme"/,
    ],
    [
      'an external database without its Secret',
      withSpec({ postgres: { externalSecretName: 'db' } }),
      'SecretMissing',
      /"db"/,
    ],
    [
      'an external database without a URL',
      {
        ...withSpec({ postgres: { externalSecretName: 'db' } }),
        platformSecrets: { openai: { 'api-key': 'k' }, db: { DATABASE_URL: 'mysql://x' } },
      },
      'SecretKeyMissing',
      /postgresql:\/\//,
    ],
    [
      'more than the quota holds',
      { plans: [plan('professional', { quota: { cpu: '2' } })] },
      'QuotaExceeded',
      /CPU.*allows 2/,
    ],
    [
      'more volumes than the quota holds',
      { plans: [plan('professional', { quota: { storage: '1Gi' } })] },
      'QuotaExceeded',
      /storage/,
    ],
    [
      'an authority that is missing',
      { settings: { ...settings, tls: { caSecret: 'local-ca' } } },
      'SecretMissing',
      /"local-ca"/,
    ],
  ];

  it.each(cases)('%s: says what to change and does nothing', (_what, fields, reason, message) => {
    const decision = decide(tenantInput(fields));
    expect(conditionOf(decision, 'Stalled')).toMatchObject({ status: 'True', reason });
    expect(conditionOf(decision, 'Ready')).toMatchObject({ status: 'False', reason });
    expect(conditionOf(decision, 'Stalled')?.message).toMatch(message);
    expect(listed(decision)).toEqual([]);
  });

  it.each(cases)('%s: leaves alone what runs already', (_what, fields) => {
    const running = settled();
    const { namespace: _namespace, ...rest } = fields;
    const spec = fields.tenant?.spec ?? running.tenant.spec;
    const decision = decide({ ...running, ...rest, tenant: { ...running.tenant, spec } });
    expect(listed(decision).filter((action) => !action.startsWith('apply Deployment/'))).toEqual([]);
  });

  it('does not lose a host name to a younger Tenant', () => {
    const rivals = [tenant('younger', { hostname: 'acme' }, { creationTimestamp: '2026-03-02T08:00:00Z' })];
    expect(listed(decide(settled({ rivals })))).toEqual([]);
  });

  it('waits for a namespace that is still being deleted', () => {
    const metadata = {
      name: 'tenant-acme',
      labels: labels('acme', 'namespace'),
      deletionTimestamp: '2026-03-02T11:59:00Z',
    };
    const decision = decide(tenantInput({ namespace: { apiVersion: 'v1', kind: 'Namespace', metadata } }));
    expect(listed(decision)).toEqual([]);
    expect(conditionOf(decision, 'Reconciling')).toMatchObject({ status: 'True' });
    expect(conditionOf(decision, 'Ready')).toMatchObject({ reason: 'NamespaceTerminating' });
  });

  it('never makes a Secret anew that its database depends on', () => {
    const input = settled();
    const without = input.owned.filter(({ kind, metadata }) => kind !== 'Secret' || metadata.name !== 'postgres');
    const decision = decide({ ...input, owned: without });
    expect(conditionOf(decision, 'Stalled')).toMatchObject({ reason: 'SecretMissing' });
    expect(listed(decision)).toEqual([]);
  });

  it('never fills a Secret again that somebody emptied', () => {
    const input = settled();
    const emptied = secret('tenant-acme', 'redis', { REDIS_PASSWORD: '', REDIS_URL: 'redis://x' });
    const owned = input.owned.map((object) =>
      object.kind === 'Secret' && object.metadata.name === 'redis' ? emptied : object,
    );
    expect(conditionOf(decide({ ...input, owned }), 'Stalled')?.message).toContain('REDIS_PASSWORD');
  });

  it.each([
    ['a smaller volume', { storage: { postgresSize: '1Gi' } }, /cannot shrink from 2Gi to 1Gi/],
    ['an external database', { postgres: { externalSecretName: 'db' } }, /managed one/],
  ])('%s is refused where data exists', (_what, spec, message) => {
    const input = settled();
    const decision = decide({ ...input, tenant: { ...tenant('acme', spec), status: input.tenant.status } });
    expect(conditionOf(decision, 'Stalled')?.message).toMatch(message);
    expect(listed(decision)).toEqual([]);
  });

  it('tells of a refusal once, not at every look', () => {
    const input = tenantInput({ plans: [] });
    const first = decide(input);
    expect(first.happenings).toMatchObject([{ type: 'Warning', reason: 'PlanNotFound' }]);
    expect(decide({ ...input, tenant: { ...input.tenant, status: first.status } }).happenings).toEqual([]);
  });
});

describe('an operator that dies between two writes', () => {
  it('goes on where it stopped, wherever that was, and makes nothing twice', () => {
    const input = tenantInput();
    const first = decide(input).actions;
    for (let done = 0; done <= first.length; done++) {
      const stored = first
        .slice(0, done)
        .flatMap((action) => (action.do === 'apply' || action.do === 'create' ? [store(action)] : []));
      const { metadata, ...rest } = input.tenant;
      const survived: TenantInput = {
        ...input,
        tenant: { ...rest, metadata: { ...metadata, ...(done > 0 && { finalizers: [FINALIZER] }) } },
        namespace: stored.find(({ kind }) => kind === 'Namespace'),
        owned: stored,
        // a fresh process draws other random values; what exists must win over them
        fresh: freshSecrets((bytes) => `others-of-${bytes}-bytes`, 'owner@acme.example'),
      };
      const left = decide(survived);
      const secretsExist = first.slice(0, done).filter((action) => action.do === 'create').length === 4;
      if (done === 0 || secretsExist) {
        const expected = listed({ ...left, actions: first.slice(done) });
        const registered = done === first.length ? ['register'] : [];
        expect(listed(left), `after ${done} writes`).toEqual([...expected, ...registered]);
      }
      expect(left.status?.conditions?.find(({ type }) => type === 'Stalled')?.status, `after ${done} writes`).toBe(
        'False',
      );
    }
  });
});

describe('what follows from a single field', () => {
  // Every field of the spec must show in what is made, or it would be a promise that nobody keeps.
  const base = { components: { liteLlm: { replicas: 2 } } };
  const fields: [string, Record<string, unknown>, string[]][] = [
    ['displayName', { displayName: 'Other' }, ['apply Deployment/open-webui', 'register']],
    ['plan', { plan: 'other' }, ['apply ResourceQuota/tenant', 'register']],
    ['language', { language: 'en' }, ['apply Deployment/litellm', 'apply Deployment/open-webui', 'register']],
    ['timeZone', { timeZone: 'UTC' }, ['apply CronJob/postgres-backup', 'register']],
    ['hostname', { hostname: 'other' }, ['apply Deployment/open-webui', 'apply Ingress/tenant', 'register']],
    ['customDomains', { customDomains: ['ai.acme.example'] }, ['apply Deployment/open-webui', 'apply Ingress/tenant']],
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
    ['budget.alertThresholdsPercent', { budget: { alertThresholdsPercent: [10] } }, ['register']],
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
    ['suspended', { suspended: true }, ['apply Deployment/litellm', 'apply Deployment/open-webui', 'register']],
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

  it('storage.className and the first owner show in what is made at first', () => {
    const first = decide(tenantInput({ tenant: tenant('acme', { storage: { className: 'fast' } }) }));
    const claims = first.actions.flatMap((action) =>
      action.do === 'apply' && action.object.kind === 'PersistentVolumeClaim' ? [action.object.spec] : [],
    );
    expect(claims).toHaveLength(3);
    for (const claim of claims) expect(claim).toMatchObject({ storageClassName: 'fast' });
  });
});
