import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName, port } from '../names.ts';
import type { Wish } from '../wish.ts';
import { deploymentStrategy, disruptionBudget } from './deployment.ts';
import { liteLlmConfig, REQUEST_TIMEOUT_SECONDS } from './litellm-config.ts';
import { metadata, serviceAccount } from './object.ts';
import { container, DRAIN_SECONDS, plain, podTemplate, secret, selector, user } from './pod.ts';
import { service } from './service.ts';
import { replicasOf, sizeOf } from './sizes.ts';

/** Seconds after the longest call in which LiteLLM settles what ran and ends by itself. */
const SETTLE_SECONDS = 30;

/** The model gateway. One worker to a pod, without a database: it scales by pods. */
export function liteLlm(wish: Wish): KubeObject[] {
  const part = component.liteLlm;
  const config = liteLlmConfig(wish);
  return [
    serviceAccount(wish, part),
    config,
    service(wish, part, port.liteLlm),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(wish, part),
      spec: {
        replicas: replicasOf(wish.spec, 'liteLlm'),
        ...deploymentStrategy,
        selector: selector(part),
        template: podTemplate(wish, {
          part,
          runAs: user.application,
          hasInit: true,
          terminationGracePeriodSeconds: REQUEST_TIMEOUT_SECONDS + DRAIN_SECONDS + SETTLE_SECONDS,
          config: config.data as Record<string, string>,
          secrets: {
            ...wish.secrets.gatewayCredentials,
            REDIS_URL: wish.secrets.redis.REDIS_URL ?? '',
            ...wish.providerKeys,
          },
          containers: [
            container(wish, {
              name: part,
              image: wish.settings.images.liteLlm,
              args: ['--config', '/app/config/config.yaml', '--host', '0.0.0.0', '--port', String(port.liteLlm)],
              env: environment(wish),
              ports: [{ name: 'main', containerPort: port.liteLlm, protocol: 'TCP' }],
              startupProbe: { ...probe('/health/readiness'), periodSeconds: 2, failureThreshold: 150 },
              readinessProbe: { ...probe('/health/readiness'), periodSeconds: 5, failureThreshold: 3 },
              // a burst can hold its event loop for seconds; only one that is really stuck is ended
              livenessProbe: { ...probe('/health/liveliness'), periodSeconds: 20, failureThreshold: 6 },
              lifecycle: { preStop: { sleep: { seconds: DRAIN_SECONDS } } },
              resources: sizeOf(wish.spec, 'liteLlm'),
              volumeMounts: [{ name: 'config', mountPath: '/app/config', readOnly: true }],
            }),
          ],
          volumes: [{ name: 'config', configMap: { name: objectName.config } }],
        }),
      },
    },
    disruptionBudget(wish, part),
  ];
}

function environment(wish: Wish): object[] {
  return [
    plain('HOME', '/tmp'),
    plain('LITELLM_LOCAL_MODEL_COST_MAP', 'True'),
    plain('LITELLM_MODE', 'PRODUCTION'),
    plain('LITELLM_LOG', 'ERROR'),
    plain('NO_DOCS', 'True'),
    plain('DISABLE_ADMIN_UI', 'True'),
    secret('LITELLM_MASTER_KEY', objectName.gatewayCredentials, 'MASTER_KEY'),
    plain('CLOUDFREEDOM_CONTROL_PLANE_URL', wish.settings.gatewayControlPlaneUrl),
    plain('CLOUDFREEDOM_TENANT', wish.tenant.name),
    plain('CLOUDFREEDOM_LANGUAGE', wish.spec.language),
    ...rateLimits(wish),
    { name: 'CLOUDFREEDOM_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    secret('CLOUDFREEDOM_CREDENTIAL', objectName.gatewayCredentials, 'CREDENTIAL'),
    secret('CLOUDFREEDOM_CHAT_KEY', objectName.gatewayCredentials, 'CHAT_KEY'),
    secret('CLOUDFREEDOM_REDIS_URL', component.redis, 'REDIS_URL'),
    ...Object.keys(wish.providerKeys)
      .sort()
      .map((variable) => secret(variable, objectName.providerKeys)),
  ];
}

/** The Tenant's own limits win over its Plan's. Without any the variable is absent. */
function rateLimits({ spec, plan }: Wish): object[] {
  const limits = { ...plan.rateLimits, ...spec.rateLimits };
  return Object.keys(limits).length === 0 ? [] : [plain('CLOUDFREEDOM_RATE_LIMITS', JSON.stringify(limits))];
}

function probe(path: string): object {
  return { httpGet: { path, port: port.liteLlm }, timeoutSeconds: 10 };
}
