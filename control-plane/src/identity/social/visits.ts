import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { hashToken, newToken } from '../../crypto/token.ts';
import type { VisitSecrets } from './provider.ts';
import type { ProviderName } from './settings.ts';

/** Minutes a browser has for coming back from a provider. */
export const VISIT_MINUTES = 10;

/** What a visit was begun for. */
export type VisitPurpose = {
  /** A path of the portal to land on. */
  readonly returnTo: string | undefined;
  /** Who adds the provider to their account; undefined for signing in. */
  readonly linkPersonId: string | undefined;
};

/** Notes that this browser is sent to a provider. @param browser the secret in its cookie */
export async function beginVisit(
  pool: pg.Pool,
  provider: ProviderName,
  browser: string,
  { returnTo, linkPersonId }: VisitPurpose,
): Promise<VisitSecrets> {
  const state = newToken();
  await pool.query(
    `insert into provider_visit (state_sha256, browser_sha256, provider, return_to, link_person_id, expires_at)
     values ($1, $2, $3, $4, $5, now() + make_interval(mins => $6))`,
    [hashToken(state), hashToken(browser), provider, returnTo, linkPersonId, VISIT_MINUTES],
  );
  return secretsOf(state, browser);
}

/**
 * Ends the visit that this browser began at this provider; undefined when there is none, it is overdue, was ended before,
 * or is another browser's. A state that was shown by the wrong browser is void from then on.
 */
export async function endVisit(
  pool: pg.Pool,
  provider: ProviderName,
  state: string,
  browser: string | undefined,
): Promise<(VisitPurpose & { readonly secrets: VisitSecrets }) | undefined> {
  const { rows } = await pool.query<{ mine: boolean; return_to: string | null; link_person_id: string | null }>(
    `delete from provider_visit where state_sha256 = $1 and provider = $2 and expires_at > now()
     returning browser_sha256 = $3 as mine, return_to, link_person_id`,
    [hashToken(state), provider, hashToken(browser ?? '')],
  );
  const visit = rows[0];
  if (visit === undefined || browser === undefined || !visit.mine) return undefined;
  return {
    returnTo: visit.return_to ?? undefined,
    linkPersonId: visit.link_person_id ?? undefined,
    secrets: secretsOf(state, browser),
  };
}

/** Nonce and verifier are made of both secrets: neither the database nor the address with the state gives them away. */
function secretsOf(state: string, browser: string): VisitSecrets {
  const derive = (use: string) => createHmac('sha256', browser).update(`${use}:${state}`).digest('base64url');
  return { state, nonce: derive('nonce'), codeVerifier: derive('code-verifier') };
}
