import { z } from 'zod';
import { type Problem, problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';
import { isLocalPath } from '../../identity/social/return-to.ts';
import { ProviderName } from '../../identity/social/settings.ts';

export const ProviderParams = z.strictObject({ provider: ProviderName });

/** A path of the portal to land on; never another site. */
export const ReturnTo = z
  .string()
  .refine(isLocalPath, 'must be a path of the portal, such as /tenants/acme')
  .meta({ description: 'A path of the portal to land on', example: '/tenants/acme' });

/** Where a provider sends browsers back to. Registered there to the letter. */
export function callbackUrl(portalUrl: string, provider: ProviderName): string {
  return `${portalUrl}/v1/sign-in/${provider}/callback`;
}

export function providerUnknown(): Answer & { readonly body: Problem } {
  const detail = 'this provider is not set up here; GET /v1/sign-in/providers lists those that are';
  return { status: 404, body: problem(404, 'provider_unknown', detail) };
}
