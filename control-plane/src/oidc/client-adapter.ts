import type { Adapter, AdapterPayload } from 'oidc-provider';
import type pg from 'pg';
import { z } from 'zod';
import { TenantRegistration } from '../catalogue/registrations.ts';

const PREFIX = 'tenant-';
/** Where Open WebUI takes a code: the address it names itself where it is not told one, and the one we tell it. */
const CALLBACKS = ['/oauth/oidc/callback', '/oauth/oidc/login/callback'];

/** The client of a tenant's chat. */
export function clientIdOf(tenant: string): string {
  return `${PREFIX}${tenant}`;
}

/** The tenant whose chat a client is; undefined where the id is nobody's. */
export function tenantOfClient(clientId: string): string | undefined {
  return clientId.startsWith(PREFIX) ? clientId.slice(PREFIX.length) : undefined;
}

const Row = z.object({ name: z.string(), registration: TenantRegistration, hashes: z.string() });

/** The clients are the tenants: made, changed and removed by what the operator registers, and by nothing else. */
export class ClientAdapter implements Pick<Adapter, 'find'> {
  readonly #pool: pg.Pool;
  readonly #portalUrl: string;

  constructor(pool: pg.Pool, portalUrl: string) {
    this.#pool = pool;
    this.#portalUrl = portalUrl;
  }

  async find(clientId: string): Promise<AdapterPayload | undefined> {
    const tenant = tenantOfClient(clientId);
    if (tenant === undefined) return undefined;
    const { rows } = await this.#pool.query({
      name: 'oidc_client',
      text: `select t.name, t.registration, concat_ws(',', encode(c.secret_sha256, 'hex'),
          case when c.previous_until > now() then encode(c.previous_sha256, 'hex') end) as hashes
        from tenant t join oidc_client c on c.tenant_id = t.id where t.name = $1 and t.state = 'open'`,
      values: [tenant],
    });
    if (rows[0] === undefined) return undefined;
    const { name, registration, hashes } = Row.parse(rows[0]);
    return registration.oidc === null ? undefined : metadata(name, registration.oidc, hashes, this.#portalUrl);
  }
}

/** A tenant's chat as the library describes a client. */
export function metadata(
  tenant: string,
  { hosts, backchannelLogoutUrl }: NonNullable<TenantRegistration['oidc']>,
  secretHashes: string,
  portalUrl: string,
): AdapterPayload {
  const origins = hosts.map((host) => `https://${host}`);
  return {
    client_id: clientIdOf(tenant),
    client_name: tenant,
    client_secret: secretHashes,
    application_type: 'web',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: origins.flatMap((origin) => CALLBACKS.map((path) => origin + path)),
    post_logout_redirect_uris: [`${portalUrl}/`, ...origins.flatMap((origin) => [`${origin}/`, `${origin}/auth`])],
    backchannel_logout_uri: backchannelLogoutUrl,
    backchannel_logout_session_required: true,
    id_token_signed_response_alg: 'RS256',
  };
}
