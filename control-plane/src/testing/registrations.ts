import { randomBytes } from 'node:crypto';
import type { ModelRegistration, TenantRegistration } from '../catalogue/registrations.ts';
import { hashSecret } from '../http/auth.ts';

/** The secrets of a tenant, as its namespace would hold them. */
export type TenantSecrets = { readonly credential: string; readonly chatKey: string };

export function tenantSecrets(): TenantSecrets {
  return {
    credential: `cfgw-${randomBytes(32).toString('base64url')}`,
    chatKey: `cf-chat-${randomBytes(32).toString('base64url')}`,
  };
}

export function sha256Hex(secret: string): string {
  return hashSecret(secret).toString('hex');
}

/** A valid registration; tests say only what matters to them. */
export function tenantRegistration(secrets: TenantSecrets, more: Partial<TenantRegistration> = {}): TenantRegistration {
  return {
    uid: 'b6f0c7de-0000-4000-8000-000000000000',
    displayName: 'Demo',
    owners: ['owner@example.test'],
    plan: 'starter',
    language: 'en',
    timeZone: 'Europe/Berlin',
    host: 'demo.example.test',
    monthlyBudgetNanoEur: '25000000000',
    memberBudgetNanoEur: null,
    keyBudgetNanoEur: null,
    maxMembers: null,
    lease: null,
    marginPercent: 20,
    models: ['small', 'large'],
    alertThresholdsPercent: [50, 80, 100],
    suspended: false,
    auditRetentionDays: 365,
    gatewayCredentialSha256: sha256Hex(secrets.credential),
    chatKeySha256: sha256Hex(secrets.chatKey),
    oidc: null,
    ...more,
  };
}

export function modelRegistration(more: Partial<ModelRegistration> = {}): ModelRegistration {
  return {
    class: 'mini',
    mode: 'chat',
    free: false,
    limits: { contextTokens: 128_000, maxOutputTokens: 16_384 },
    prices: { inputUsdPerMillion: '0.15', cachedInputUsdPerMillion: '0.075', outputUsdPerMillion: '0.60' },
    fallbacks: [],
    replacedBy: null,
    deployments: [{ name: 'main', provider: 'openai', model: 'gpt-4o-mini', residency: 'us' }],
    ...more,
  };
}
