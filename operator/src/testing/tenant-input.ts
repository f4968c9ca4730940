import { ApplyMemo } from '../runtime/apply-when-changed.ts';
import type { TenantInput } from '../tenant/input.ts';
import { APPLIED_HASH_ANNOTATION, FIELD_MANAGER } from '../tenant/names.ts';
import { freshSecrets } from '../tenant/secrets.ts';
import type { Settings } from '../tenant/settings.ts';
import { model, plan, tenant } from './objects.ts';

/** The moment at which tests take place. */
export const NOW_MS = Date.parse('2026-03-02T12:00:00Z');

/** A platform's settings, without TLS of its own. */
export const settings: Settings = {
  baseDomain: 'example.org',
  platformNamespace: 'cloudfreedom-system',
  gatewayControlPlaneUrl: 'http://control-plane.cloudfreedom-system.svc:8080',
  portalUrl: 'https://portal.example.org',
  images: {
    liteLlm: 'registry.example/litellm:1.106.2',
    openWebUi: 'registry.example/open-webui:0.12.4',
    postgres: 'registry.example/postgres:15',
    redis: 'registry.example/redis:7',
  },
  imagePullPolicy: 'IfNotPresent',
  ingress: { className: 'traefik', namespace: 'ingress' },
  tls: undefined,
  storageClassName: undefined,
  monitoringNamespace: undefined,
  providerEgress: [],
  hook: { 'cloudfreedom_hook.py': '# the hook\n' },
  chatDataScript: '# the job\n',
};

/** What a decision sees of a new Tenant on a platform with two models and their key, before anything is made. */
export function tenantInput(fields: Partial<TenantInput> = {}): TenantInput {
  return {
    now: NOW_MS,
    settings,
    applying: { fieldManager: FIELD_MANAGER, hashAnnotation: APPLIED_HASH_ANNOTATION, memo: new ApplyMemo() },
    tenant: tenant(),
    plans: [plan()],
    models: [model('gpt-4o', { fallbacks: ['gpt-4o-mini'] }), model('gpt-4o-mini', { class: 'mini' })],
    rivals: [],
    platformSecrets: { openai: { 'api-key': 'sk-provider' } },
    namespace: undefined,
    owned: [],
    pods: [],
    registered: { answer: 'unknown' },
    fresh: freshSecrets((bytes) => `random-of-${bytes}-bytes`, 'acme'),
    has: { serviceMonitors: false, certificates: false },
    ...fields,
  };
}
