import type { ModelSpec } from '@cloudfreedom/crds/model.ts';
import { stringify } from 'yaml';
import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName } from '../names.ts';
import type { ModelRoute, RouteDeployment } from '../routing.ts';
import type { Wish } from '../wish.ts';
import { metadata } from './object.ts';

/** Seconds one call to a provider may take, streaming included: the longest answers of large models. */
export const REQUEST_TIMEOUT_SECONDS = 600;
/** Further tries of a call that failed before its first token. */
const RETRIES = 2;
/** Seconds a deployment that keeps failing is left out while others can answer. */
const COOLDOWN_SECONDS = 5;
/** Seconds a cached answer lives, where a client asked for the cache. */
const CACHE_SECONDS = 600;

/** LiteLLM's configuration and the hook it loads. No secret is in it: keys are named as environment variables. */
export function liteLlmConfig(wish: Wish): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(wish, component.liteLlm, objectName.config),
    data: { 'config.yaml': configYaml(wish), ...wish.settings.hook },
  };
}

function configYaml(wish: Wish): string {
  const fallbacks = wish.routes
    .filter((route) => route.fallbacks.length > 0)
    .map((route) => ({ [route.name]: route.fallbacks }));
  return yaml({
    model_list: wish.routes.flatMap((route) => route.deployments.map((deployment) => modelEntry(route, deployment))),
    router_settings: {
      routing_strategy: 'simple-shuffle',
      num_retries: RETRIES,
      timeout: REQUEST_TIMEOUT_SECONDS,
      cooldown_time: COOLDOWN_SECONDS,
      ...(fallbacks.length > 0 && { fallbacks }),
    },
    litellm_settings: {
      callbacks: wish.circumstances.hasServiceMonitors
        ? ['cloudfreedom_hook.gateway', 'prometheus']
        : 'cloudfreedom_hook.gateway',
      global_disable_no_log_param: true,
      drop_params: true,
      telemetry: false,
      request_timeout: REQUEST_TIMEOUT_SECONDS,
      cache: true,
      cache_params: {
        type: 'redis',
        url: 'os.environ/CLOUDFREEDOM_REDIS_URL',
        namespace: 'litellm-cache',
        // an answer is only ever repeated to a client that asks for it
        mode: 'default_off',
        ttl: CACHE_SECONDS,
      },
    },
    general_settings: { custom_auth: 'cloudfreedom_hook.authenticate' },
  });
}

function modelEntry(route: ModelRoute, deployment: RouteDeployment): object {
  const { mode } = route.spec;
  return {
    model_name: route.name,
    litellm_params: {
      model: `${deployment.provider}/${deployment.model}`,
      ...(deployment.apiBase && { api_base: deployment.apiBase }),
      api_key: `os.environ/${deployment.keyVariable}`,
      ...(deployment.weight !== undefined && { weight: deployment.weight }),
      ...costs(route.spec),
    },
    model_info: { id: `${route.name}/${deployment.name}`, mode: mode === 'image' ? 'image_generation' : mode },
  };
}

/**
 * LiteLLM knows no price of retired models and would call them free: its figures, which nobody is billed by, are made to
 * agree with ours. Of a model without prices of its own LiteLLM goes by its price file, as we do.
 */
function costs({ prices, free }: ModelSpec): object {
  if (prices === undefined) {
    return free ? { input_cost_per_token: perToken('0'), output_cost_per_token: perToken('0') } : {};
  }
  return {
    input_cost_per_token: perToken(prices.inputUsdPerMillion),
    output_cost_per_token: perToken(prices.outputUsdPerMillion),
    ...(prices.cachedInputUsdPerMillion && {
      cache_read_input_token_cost: perToken(prices.cachedInputUsdPerMillion),
    }),
    ...(prices.cacheWriteUsdPerMillion && {
      cache_creation_input_token_cost: perToken(prices.cacheWriteUsdPerMillion),
    }),
    ...(prices.imageUsd && { output_cost_per_image: decimal(prices.imageUsd) }),
  };
}

const NUMBER = '@number:';

/** A decimal that goes into the YAML digit by digit: LiteLLM's reader takes `3e-6` for a text. */
function decimal(digits: string): string {
  return `${NUMBER}${digits.includes('.') ? digits : `${digits}.0`}`;
}

/** US dollars per million tokens as US dollars per token, exactly. */
function perToken(perMillion: string): string {
  const [whole = '0', fraction = ''] = perMillion.split('.');
  const shifted = whole.padStart(7, '0');
  const digits = `${shifted.slice(0, -6)}.${shifted.slice(-6)}${fraction}`;
  return decimal(digits.replace(/0+$/, '').replace(/\.$/, '.0'));
}

function yaml(value: object): string {
  return stringify(value, { lineWidth: 0 }).replace(new RegExp(`"?${NUMBER}([0-9.]+)"?`, 'g'), '$1');
}
