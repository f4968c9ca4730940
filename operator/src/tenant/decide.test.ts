import { describe, expect, it } from 'vitest';
import { deployment, model, plan, secret, tenant } from '../testing/objects.ts';
import { conditionOf, listed, settled, store } from '../testing/settled.ts';
import { settings, tenantInput } from '../testing/tenant-input.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { TenantInput } from './input.ts';
import { FINALIZER, labels } from './names.ts';
import { freshSecrets } from './secrets.ts';

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

  it('rolls its client at the OpenID provider when that Secret is deleted, and gets one that it never had', () => {
    const input = settled();
    const owned = input.owned.filter(({ metadata }) => metadata.name !== 'oidc-client');
    const fresh = freshSecrets((bytes) => `others-of-${bytes}-bytes`, 'acme');
    const decision = decide({ ...input, owned, fresh });
    expect(listed(decision)).toEqual(['create Secret/oidc-client', 'apply Deployment/open-webui', 'register']);
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
        fresh: freshSecrets((bytes) => `others-of-${bytes}-bytes`, 'acme'),
      };
      const left = decide(survived);
      const secretsExist = first.slice(0, done).filter((action) => action.do === 'create').length === 5;
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
