import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readTenant } from '@cloudfreedom/crds/tenant.ts';
import { parse, stringify } from 'yaml';
import { hookFiles } from '../../operator/src/config.ts';
import type { KubeObject } from '../../operator/src/runtime/cluster.ts';
import { liteLlmConfig } from '../../operator/src/tenant/desired/litellm-config.ts';
import { resolveRouting } from '../../operator/src/tenant/routing.ts';
import type { Wish } from '../../operator/src/tenant/wish.ts';
import { pythonEnvironment } from '../images/python-env.ts';
import { progress } from '../process/progress.ts';
import { PROVIDER_KEY, PROVIDER_SECRET } from './catalogue.ts';
import { answers, freePort, type Spawned, spawnServer } from './spawned.ts';

/** LiteLLM imports for 10 s on a quiet machine and up to a minute on a busy one. */
const READY_TIMEOUT_MS = 180_000;

/** One LiteLLM with the hook, or without it for comparison. */
export interface LiteLlm {
  url: string;
  process: Spawned;
}

/** What the operator would tell the pod. */
export interface LiteLlmOptions {
  folder: string;
  pod: string;
  controlPlaneUrl: string;
  redisUrl: string;
  tenant: string;
  credential: string;
  chatKey: string;
  language: 'de' | 'en';
  models: readonly KubeObject[];
  /** Seconds a provider may stay silent; the operator's own value would make a time-out test last for minutes. */
  timeoutSeconds: number;
  /** False: LiteLLM as it is, with its master key, for benches. */
  hook: boolean;
  masterKey: string;
  /** Further environment, over what the operator sets. */
  environment?: Record<string, string>;
}

/** Starts the pinned LiteLLM on the configuration that the operator makes for a tenant. */
export async function startLiteLlm(options: LiteLlmOptions): Promise<LiteLlm> {
  const bin = await pythonEnvironment('litellm', progress('litellm'));
  const folder = path.join(options.folder, options.pod);
  await mkdir(folder, { recursive: true });
  const { config, keys } = await configuration(options);
  await writeFile(path.join(folder, 'config.yaml'), config);
  for (const [name, text] of Object.entries(hookFiles())) await writeFile(path.join(folder, name), text);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const process = await spawnServer(`LiteLLM ${options.pod}`, {
    command: path.join(bin, 'litellm'),
    args: ['--config', path.join(folder, 'config.yaml'), '--host', '127.0.0.1', '--port', `${port}`],
    cwd: folder,
    env: { ...environment(options, folder, bin), ...keys },
    ready: () => answers(`${url}/health/readiness`),
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
  return { url, process };
}

/** The operator's config.yaml and provider keys for a tenant that may use all models. */
async function configuration(options: LiteLlmOptions): Promise<{ config: string; keys: Record<string, string> }> {
  const routing = resolveRouting({
    spec: tenantSpec(),
    plan: { displayName: 'Tests', modelClasses: ['full'], marginPercent: 20, supportLevel: 'community' },
    models: options.models,
    platformSecrets: { [PROVIDER_SECRET]: { 'api-key': PROVIDER_KEY } },
  });
  if ('reason' in routing) throw new Error(routing.message);
  // of a whole tenant's wish the configuration reads these four alone
  const wish = {
    tenant: { name: options.tenant },
    namespace: `tenant-${options.tenant}`,
    routes: routing.routes,
    circumstances: { hasServiceMonitors: false },
    settings: { hook: {} },
  } as unknown as Wish;
  const made = parse((liteLlmConfig(wish).data as Record<string, string>)['config.yaml'] ?? '');
  made.router_settings.timeout = options.timeoutSeconds;
  made.litellm_settings.request_timeout = options.timeoutSeconds;
  if (!options.hook) {
    delete made.litellm_settings.callbacks;
    delete made.general_settings.custom_auth;
  }
  return { config: stringify(made), keys: routing.providerKeys };
}

function tenantSpec() {
  const read = readTenant({
    apiVersion: 'cloudfreedom.de/v1alpha1',
    kind: 'Tenant',
    metadata: { name: 'tests' },
    spec: { displayName: 'Tests', plan: 'tests', owners: ['owner@example.org'] },
  });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value.spec;
}

function environment(options: LiteLlmOptions, folder: string, bin: string): NodeJS.ProcessEnv {
  return {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: folder,
    PYTHONDONTWRITEBYTECODE: '1',
    LITELLM_LOCAL_MODEL_COST_MAP: 'True',
    LITELLM_MODE: 'PRODUCTION',
    LITELLM_LOG: 'ERROR',
    NO_DOCS: 'True',
    DISABLE_ADMIN_UI: 'True',
    LITELLM_MASTER_KEY: options.masterKey,
    CLOUDFREEDOM_CONTROL_PLANE_URL: options.controlPlaneUrl,
    CLOUDFREEDOM_TENANT: options.tenant,
    CLOUDFREEDOM_CREDENTIAL: options.credential,
    CLOUDFREEDOM_CHAT_KEY: options.chatKey,
    CLOUDFREEDOM_REDIS_URL: options.redisUrl,
    CLOUDFREEDOM_POD: options.pod,
    CLOUDFREEDOM_LANGUAGE: options.language,
    ...options.environment,
  };
}
