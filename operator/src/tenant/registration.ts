import { isDeepStrictEqual } from 'node:util';
import type { PlanSpec } from '@cloudfreedom/crds/plan.ts';
import { nanoEur } from '../control-plane-client/money.ts';
import type { TenantRegistration } from '../control-plane-client/shapes.ts';
import { sha256 } from './checksum.ts';
import { component, port } from './names.ts';
import type { Wish } from './wish.ts';

/** What the control plane must know of a tenant. It learns hashes of the keys, never a key. */
export function registration({ tenant, spec, plan, hosts, routes, secrets, namespace }: Wish): TenantRegistration {
  return {
    uid: tenant.uid,
    displayName: spec.displayName,
    owners: [...spec.owners].sort(),
    plan: spec.plan,
    language: spec.language,
    timeZone: spec.timeZone,
    host: hosts[0],
    monthlyBudgetNanoEur: nanoEur(spec.budget.monthlyEur ?? plan.monthlyBudgetEur ?? '0').toString(),
    memberBudgetNanoEur: limit(spec.budget.memberMonthlyEur),
    keyBudgetNanoEur: limit(spec.budget.keyMonthlyEur),
    maxMembers: plan.maxMembers ?? null,
    lease: plan.lease === undefined ? null : lease(plan.lease),
    marginPercent: plan.marginPercent,
    models: routes.map(({ name }) => name),
    alertThresholdsPercent: [...spec.budget.alertThresholdsPercent].sort((a, b) => a - b),
    suspended: spec.suspended,
    gatewayCredentialSha256: sha256(secrets.gatewayCredentials.CREDENTIAL ?? ''),
    chatKeySha256: sha256(secrets.gatewayCredentials.CHAT_KEY ?? ''),
    oidc: {
      clientSecretSha256: sha256(secrets.oidcClient.OAUTH_CLIENT_SECRET ?? ''),
      hosts,
      // the Service, not a host name: it answers where no ingress lets the platform in
      backchannelLogoutUrl: `http://${component.openWebUi}.${namespace}.svc:${port.openWebUi}/oauth/backchannel-logout`,
    },
  };
}

function limit(euro: string | undefined): string | null {
  return euro === undefined ? null : nanoEur(euro).toString();
}

function lease({ amountEur, minutes }: NonNullable<PlanSpec['lease']>): TenantRegistration['lease'] {
  return { amountNanoEur: nanoEur(amountEur).toString(), seconds: minutes * 60 };
}

/** Whether the control plane already has exactly this. Lists that are sets are compared as such. */
export function isRegistered(known: TenantRegistration, wished: TenantRegistration): boolean {
  return isDeepStrictEqual(inOrder(known), inOrder(wished));
}

function inOrder(value: TenantRegistration): TenantRegistration {
  return {
    ...value,
    owners: [...value.owners].sort(),
    models: [...value.models].sort(),
    alertThresholdsPercent: [...value.alertThresholdsPercent].sort((a, b) => a - b),
  };
}
