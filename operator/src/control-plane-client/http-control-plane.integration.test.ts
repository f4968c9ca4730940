import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane as Started, startControlPlane } from '../../../control-plane/src/start.ts';
import { decideModel } from '../model/decide.ts';
import { decidePlan } from '../plan/decide.ts';
import { deployment, model, plan } from '../testing/objects.ts';
import { type ControlPlane, ControlPlaneError, isUnreachable } from './control-plane.ts';
import { httpControlPlane } from './http-control-plane.ts';
import type { ModelRegistration, PlanRegistration, TenantRegistration } from './shapes.ts';

const OPERATOR_KEY = 'the-operator-key-of-this-test';
let dataFolder: string;
let started: Started;
let client: ControlPlane;

beforeAll(async () => {
  // run by root, the embedded Postgres gives root up and must still reach its folder
  dataFolder = await mkdtemp(path.join(tmpdir(), 'cf-control-plane-'));
  await chmod(dataFolder, 0o755);
  started = await startControlPlane({
    dataFolder,
    adminKey: 'the-admin-key-of-this-test',
    operatorKey: OPERATOR_KEY,
  });
  client = httpControlPlane({ url: started.url, key: OPERATOR_KEY });
});
afterAll(async () => {
  await started?.stop();
  await rm(dataFolder, { recursive: true, force: true });
});

const registration: TenantRegistration = {
  uid: 'uid-acme',
  displayName: 'Acme',
  owners: ['owner@acme.example'],
  plan: 'professional',
  language: 'de',
  timeZone: 'Europe/Berlin',
  host: 'acme.example.org',
  monthlyBudgetNanoEur: '100000000000',
  memberBudgetNanoEur: '5000000000',
  keyBudgetNanoEur: null,
  maxMembers: 5,
  lease: { amountNanoEur: '1000000000', seconds: 300 },
  marginPercent: 20,
  models: ['gpt-4o'],
  alertThresholdsPercent: [50, 80, 100],
  suspended: false,
  gatewayCredentialSha256: 'a'.repeat(64),
  chatKeySha256: 'b'.repeat(64),
  oidc: {
    clientSecretSha256: 'c'.repeat(64),
    hosts: ['acme.example.org', 'ai.acme.example'],
    backchannelLogoutUrl: 'http://open-webui.tenant-acme.svc:8080/oauth/backchannel-logout',
  },
};

/** What a valid Plan or Model is registered as. */
function entry<Registration>({ registration: found }: { registration: Registration | undefined }): Registration {
  if (found === undefined) throw new Error('the fixture is invalid');
  return found;
}

describe('the client of the real control plane', () => {
  it('knows nothing of what was never registered', async () => {
    expect(await client.tenant('nobody')).toBeUndefined();
    expect(await client.plan('nothing')).toBeUndefined();
    expect(await client.model('nothing')).toBeUndefined();
  });

  it('reads back exactly the Plan it registered, and forgets it', async () => {
    const wished: PlanRegistration = entry(decidePlan(plan('professional', { maxMembers: 5 })));
    await client.putPlan('professional', wished);
    expect(await client.plan('professional')).toEqual(wished);
    expect(await client.planNames()).toContain('professional');
    const unlimited = entry(decidePlan(plan('enterprise', { monthlyBudgetEur: undefined })));
    await client.putPlan('enterprise', unlimited);
    expect(await client.plan('enterprise')).toEqual(unlimited);
    await client.deletePlan('enterprise');
    expect(await client.planNames()).not.toContain('enterprise');
    await client.deletePlan('enterprise');
  });

  it('reads back exactly the Model it registered, and forgets it', async () => {
    const surroundings = { models: new Set<string>(), platformSecrets: {} };
    const priced: ModelRegistration = entry(decideModel(model('gpt-4o', { fallbacks: ['gpt-4o-mini'] }), surroundings));
    await client.putModel('gpt-4o', priced);
    expect(await client.model('gpt-4o')).toEqual(priced);
    const free = entry(decideModel(model('free', { free: true, prices: undefined }), surroundings));
    await client.putModel('free', free);
    expect(await client.model('free')).toEqual(free);
    await client.deleteModel('free');
    expect(await client.modelNames()).toEqual(['gpt-4o']);
  });

  it('hears which Models have no price', async () => {
    const surroundings = { models: new Set<string>(), platformSecrets: {} };
    const without = (name: string, providersName: string) => {
      const deployments = [deployment('main', { model: providersName })];
      return entry(decideModel(model(name, { prices: undefined, deployments }), surroundings));
    };
    await client.putModel('listed', without('listed', 'gpt-4o'));
    await client.putModel('unheard-of', without('unheard-of', 'gpt-99'));
    expect(await client.modelIsPriced('listed')).toBe(true);
    expect(await client.modelIsPriced('unheard-of')).toBe(false);
    await client.deleteModel('listed');
    await client.deleteModel('unheard-of');
  });

  it('registers a Tenant, reads it back with its budget, closes it and opens it again', async () => {
    await client.putTenant('acme', registration);
    const known = await client.tenant('acme');
    expect(known).toMatchObject({ state: 'open', registration, budget: { grantedNanoEur: '100000000000' } });
    expect(known?.registration).toEqual(registration);
    await client.closeTenant('acme', 'keep');
    expect(await client.tenant('acme')).toMatchObject({ state: 'closed' });
    await client.putTenant('acme', registration);
    expect(await client.tenant('acme')).toMatchObject({ state: 'open' });
    await client.closeTenant('acme', 'erase');
    expect(await client.tenant('acme')).toBeUndefined();
    await client.closeTenant('acme', 'erase');
  });

  it('passes the reason of a refusal on', async () => {
    const wrong = { ...registration, timeZone: 'Europe/Nowhere' };
    const refused = client.putTenant('wrong', wrong);
    await expect(refused).rejects.toThrow(/timeZone/);
    await expect(refused).rejects.toSatisfy((error) => error instanceof ControlPlaneError && !isUnreachable(error));
  });

  it('is told apart from one that is away, and never shows its key', async () => {
    const stranger = httpControlPlane({ url: started.url, key: 'a-key-that-is-not-right' });
    await expect(stranger.tenant('acme')).rejects.toMatchObject({ status: 401 });
    const away = httpControlPlane({ url: 'http://127.0.0.1:9', key: OPERATOR_KEY });
    const failed = away.tenant('acme');
    await expect(failed).rejects.toSatisfy((error) => error instanceof ControlPlaneError && isUnreachable(error));
    await expect(failed).rejects.toSatisfy((error) => !String((error as Error).stack).includes(OPERATOR_KEY));
  });
});
