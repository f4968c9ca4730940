import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decideModel } from '../../operator/src/model/decide.ts';
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts';
import { NANO_EUR } from '../steps/budget.ts';
import { Accounts } from './accounts.ts';
import { catalogue, PROVIDER_KEY, PROVIDER_SECRET } from './catalogue.ts';
import { type ControlPlane, startControlPlane } from './control-plane-process.ts';
import { type Gate, openGate } from './gate.ts';
import { type LiteLlm, startLiteLlm } from './litellm-process.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** A provider that is silent for so long is given up, in these tests. */
const TIMEOUT_SECONDS = 4;
const TENANT = 'tests';
/** What the tenant may spend when a test does not say otherwise. */
const MONTHLY_BUDGET = 1_000n * NANO_EUR;

/** Everything of a tenant's budget path, on loopback: all real but the provider. */
export interface Rig {
  tenant: string;
  upstream: FakeUpstream;
  redis: RedisServer;
  controlPlane: ControlPlane;
  /** Between LiteLLM and the control plane. */
  gate: Gate;
  /** The running LiteLLMs; tests may put others in their place. */
  gateways: LiteLlm[];
  accounts: Accounts;
  /** A key of the OpenAI-compatible API. */
  apiKey: string;
  /** Open WebUI's key. */
  chatKey: string;
  masterKey: string;
  /** Starts one more LiteLLM of this tenant. */
  addGateway(options?: { hook?: boolean; pod?: string; environment?: Record<string, string> }): Promise<LiteLlm>;
  close(): Promise<void>;
}

export interface RigOptions {
  gateways?: number;
  language?: 'de' | 'en';
  timeoutSeconds?: number;
  /** What each gateway may hold in advance; absent: nothing. */
  lease?: { amountNanoEur: string; seconds: number };
}

/** Starts a rig; takes 15 to 60 s, most of it LiteLLM's imports. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const started: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return await assemble(options, started, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(
  { gateways = 1, language = 'en', timeoutSeconds = TIMEOUT_SECONDS, lease }: RigOptions,
  started: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Rig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cloudfreedom-gateway-'));
  started.push(() => rm(folder, { recursive: true, force: true }));
  // run by root, the embedded Postgres gives root up and must still reach its folder
  await chmod(folder, 0o755);
  const upstream = await startFakeUpstream();
  started.push(() => upstream.close());
  const redis = await startRedis(folder);
  started.push(() => redis.stop('SIGKILL'));
  const controlPlane = await startControlPlane(folder);
  started.push(() => controlPlane.process.stop());
  const gate = await openGate(controlPlane.url);
  started.push(() => gate.close());

  const models = catalogue(upstream.url);
  const secrets = {
    credential: `cfgw-${randomBytes(32).toString('base64url')}`,
    chatKey: `cf-chat-${randomBytes(32).toString('base64url')}`,
    masterKey: `sk-${randomBytes(32).toString('base64url')}`,
  };
  await register(controlPlane, models, secrets, { language, lease: lease ?? null });
  const issued = await must<{ key: string }>(controlPlane, 'POST', `/v1/tenants/${TENANT}/keys`, { name: 'tests' });
  let count = 0;
  const rig: Rig = {
    tenant: TENANT,
    upstream,
    redis,
    controlPlane,
    gate,
    gateways: [],
    accounts: new Accounts(controlPlane, TENANT),
    apiKey: issued.key,
    chatKey: secrets.chatKey,
    masterKey: secrets.masterKey,
    async addGateway({ hook = true, pod = `litellm-${count++}`, environment = {} } = {}) {
      const of = { ...secrets, folder, models, language, timeoutSeconds, tenant: TENANT, pod, hook, environment };
      const gateway = await startLiteLlm({ ...of, controlPlaneUrl: gate.url, redisUrl: redis.url });
      started.push(() => gateway.process.stop('SIGKILL'));
      rig.gateways.push(gateway);
      return gateway;
    },
    close,
  };
  // one after the other: two imports at once take longer than their sum on two cores
  while (count < gateways) await rig.addGateway();
  return rig;
}

/** Tells the control plane what the operator would: models, plan, tenant. */
async function register(
  controlPlane: ControlPlane,
  models: ReturnType<typeof catalogue>,
  secrets: { credential: string; chatKey: string },
  tenant: { language: string; lease: RigOptions['lease'] | null },
): Promise<void> {
  const surroundings = {
    models: new Set(models.map(({ metadata }) => metadata.name)),
    platformSecrets: { [PROVIDER_SECRET]: { 'api-key': PROVIDER_KEY } },
  };
  for (const model of models) {
    const { registration, refusal } = decideModel(model, surroundings);
    if (registration === undefined || refusal !== undefined)
      throw new Error(`${model.metadata.name}: ${refusal?.message}`);
    await must(controlPlane, 'PUT', `/v1/models/${model.metadata.name}`, registration);
  }
  await must(controlPlane, 'PUT', '/v1/plans/tests', {
    displayName: 'Tests',
    monthlyBudgetNanoEur: MONTHLY_BUDGET.toString(),
    maxMembers: null,
    modelClasses: ['full'],
    marginPercent: 20,
  });
  await must(controlPlane, 'PUT', `/v1/tenants/${TENANT}`, {
    uid: randomUUID(),
    displayName: 'Tests',
    plan: 'tests',
    ...tenant,
    timeZone: 'Europe/Berlin',
    host: 'tests.cloudfreedom.test',
    monthlyBudgetNanoEur: MONTHLY_BUDGET.toString(),
    marginPercent: 20,
    models: [...surroundings.models],
    alertThresholdsPercent: [50, 80, 100],
    suspended: false,
    gatewayCredentialSha256: sha256(secrets.credential),
    chatKeySha256: sha256(secrets.chatKey),
  });
}

async function must<Body>(controlPlane: ControlPlane, method: string, route: string, body: unknown): Promise<Body> {
  const answer = await controlPlane.api<Body>(method, route, body);
  if (answer.status >= 300) throw new Error(`${method} ${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
