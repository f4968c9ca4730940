import { component, objectName } from './names.ts';
import type { SecretData } from './wish.ts';

/** The managed database inside its Postgres. */
export const database = { user: 'openwebui', name: 'openwebui' } as const;

/** The generated Secrets, each with the keys it must hold. They are created once and never written again. */
export const generatedKeys = {
  postgres: ['POSTGRES_PASSWORD', 'DATABASE_URL'],
  redis: ['REDIS_PASSWORD', 'REDIS_URL'],
  gatewayCredentials: ['CREDENTIAL', 'CHAT_KEY', 'MASTER_KEY'],
  openWebUi: ['WEBUI_SECRET_KEY', 'WEBUI_ADMIN_EMAIL', 'WEBUI_ADMIN_PASSWORD'],
  // a Secret of its own, so that deleting it rolls the chat's client at the provider and nothing else
  oidcClient: ['OAUTH_CLIENT_SECRET'],
} as const;
export type GeneratedSecret = keyof typeof generatedKeys;

/** Their names in the tenant's namespace, and the part each belongs to. */
export const generatedSecret: Record<GeneratedSecret, { name: string; part: string }> = {
  postgres: { name: component.postgres, part: component.postgres },
  redis: { name: component.redis, part: component.redis },
  gatewayCredentials: { name: objectName.gatewayCredentials, part: component.liteLlm },
  openWebUi: { name: component.openWebUi, part: component.openWebUi },
  oidcClient: { name: objectName.oidcClient, part: component.openWebUi },
};

/**
 * Secrets that data in a volume depends on: a database keeps its password and its accounts, so fresh ones would lock
 * everybody out. They are never made anew while that volume exists.
 */
export const boundToData: readonly GeneratedSecret[] = ['postgres', 'openWebUi'];

/** Text nobody can guess: `bytes` random bytes in base64url. */
export type RandomText = (bytes: number) => string;

/** Bytes of a password or key: 256 bits, past every guessing. */
const KEY_BYTES = 32;
/** Bytes of a password that a person types once. */
const TYPED_BYTES = 15;

/** Fresh data for every generated Secret; used for those that do not exist yet. */
export function freshSecrets(random: RandomText, tenant: string): Record<GeneratedSecret, SecretData> {
  const postgresPassword = random(KEY_BYTES);
  const redisPassword = random(KEY_BYTES);
  return {
    postgres: {
      POSTGRES_PASSWORD: postgresPassword,
      DATABASE_URL: `postgresql://${database.user}:${postgresPassword}@postgres:5432/${database.name}`,
    },
    redis: { REDIS_PASSWORD: redisPassword, REDIS_URL: `redis://:${redisPassword}@redis:6379/0` },
    gatewayCredentials: {
      CREDENTIAL: `cfgw-${random(KEY_BYTES)}`,
      CHAT_KEY: `cf-chat-${random(KEY_BYTES)}`,
      // LiteLLM does not start without one; nobody uses it
      MASTER_KEY: `sk-${random(KEY_BYTES)}`,
    },
    openWebUi: {
      WEBUI_SECRET_KEY: random(KEY_BYTES),
      // no address that a person could have: who signs in with one is joined to the account of that address
      WEBUI_ADMIN_EMAIL: `bootstrap@${tenant}.invalid`,
      WEBUI_ADMIN_PASSWORD: random(TYPED_BYTES),
    },
    oidcClient: { OAUTH_CLIENT_SECRET: `cfoc-${random(KEY_BYTES)}` },
  };
}
