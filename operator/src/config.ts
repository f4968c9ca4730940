import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Settings } from './tenant/settings.ts';

/** Where image and checkout keep the hook that LiteLLM loads: beside `src`. */
const HOOK_FOLDER = path.join(import.meta.dirname, '..', 'gateway');

/** The program that exports and erases people's chats, there too; a folder of its own, as the hook's goes to LiteLLM whole. */
export const CHAT_DATA_SCRIPT = path.join(import.meta.dirname, '..', 'chat-data', 'chat_data.py');

const Name = z.string().min(1).max(253);
const Port = z.int().min(1).max(65535);
const ProviderEgress = z.array(
  z.union([
    z.strictObject({ cidr: z.string().min(1), ports: z.array(Port).min(1) }),
    z.strictObject({
      namespace: Name,
      podLabels: z.record(z.string(), z.string()).default({}),
      ports: z.array(Port).min(1),
    }),
  ]),
);

/** A value that the chart renders as an empty text when it is not set. */
const optional = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
const withDefault = <S extends z.ZodType>(schema: S, value: string) =>
  z.preprocess((given) => (given === '' || given === undefined ? value : given), schema);

const Environment = z
  .object({
    BASE_DOMAIN: z.string().regex(/^[a-z0-9.-]+$/, 'must be a domain name in lower case'),
    PLATFORM_NAMESPACE: withDefault(Name, 'cloudfreedom-system'),
    OPERATOR_KEY: z.string().min(16),
    CONTROL_PLANE_URL: optional(z.url()),
    GATEWAY_CONTROL_PLANE_URL: optional(z.url()),
    PORTAL_URL: optional(z.url()),
    IMAGE_LITELLM: z.string().min(1),
    IMAGE_OPEN_WEBUI: z.string().min(1),
    IMAGE_POSTGRES: z.string().min(1),
    IMAGE_REDIS: z.string().min(1),
    IMAGE_PULL_POLICY: withDefault(z.enum(['IfNotPresent', 'Always', 'Never']), 'IfNotPresent'),
    INGRESS_CLASS: optional(Name),
    INGRESS_NAMESPACE: withDefault(Name, 'ingress'),
    TLS_CLUSTER_ISSUER: optional(Name),
    TLS_CA_SECRET: optional(Name),
    STORAGE_CLASS: optional(Name),
    MONITORING_NAMESPACE: optional(Name),
    PROVIDER_EGRESS: withDefault(
      z.string().transform((text, context) => {
        try {
          return JSON.parse(text) as unknown;
        } catch {
          context.addIssue({ code: 'custom', message: 'must be JSON' });
          return z.NEVER;
        }
      }),
      '[]',
    ).pipe(ProviderEgress),
    LEADER_ELECTION: withDefault(z.enum(['true', 'false']), 'true'),
    POD_NAME: optional(Name),
    HTTP_HOST: withDefault(z.string(), '0.0.0.0'),
    HTTP_PORT: withDefault(z.coerce.number().pipe(z.int().min(0).max(65535)), '8081'),
    LOG_LEVEL: withDefault(z.enum(['debug', 'info', 'warn', 'error']), 'info'),
    HOOK_FOLDER: withDefault(z.string(), HOOK_FOLDER),
  })
  .refine((env) => !(env.TLS_CLUSTER_ISSUER && env.TLS_CA_SECRET), {
    path: ['TLS_CA_SECRET'],
    message: 'set either TLS_CLUSTER_ISSUER or TLS_CA_SECRET, not both',
  });

/** The operator's configuration. */
export interface Config {
  settings: Settings;
  controlPlane: { url: string; key: string };
  leaderElection: boolean;
  identity: string;
  http: { host: string; port: number };
  logLevel: string;
}

/** Reads the configuration from the environment; throws one error that names everything that is wrong. */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) throw new Error(`the environment is not as needed:\n${z.prettifyError(parsed.error)}`);
  const env = parsed.data;
  const inCluster = `http://control-plane.${env.PLATFORM_NAMESPACE}.svc:8080`;
  const tls = env.TLS_CLUSTER_ISSUER ? { clusterIssuer: env.TLS_CLUSTER_ISSUER } : undefined;
  return {
    settings: {
      baseDomain: env.BASE_DOMAIN,
      platformNamespace: env.PLATFORM_NAMESPACE,
      gatewayControlPlaneUrl: env.GATEWAY_CONTROL_PLANE_URL ?? inCluster,
      portalUrl: env.PORTAL_URL ?? `https://portal.${env.BASE_DOMAIN}`,
      images: {
        liteLlm: env.IMAGE_LITELLM,
        openWebUi: env.IMAGE_OPEN_WEBUI,
        postgres: env.IMAGE_POSTGRES,
        redis: env.IMAGE_REDIS,
      },
      imagePullPolicy: env.IMAGE_PULL_POLICY,
      ingress: { className: env.INGRESS_CLASS, namespace: env.INGRESS_NAMESPACE },
      tls: env.TLS_CA_SECRET ? { caSecret: env.TLS_CA_SECRET } : tls,
      storageClassName: env.STORAGE_CLASS,
      monitoringNamespace: env.MONITORING_NAMESPACE,
      providerEgress: env.PROVIDER_EGRESS,
      hook: hookFiles(env.HOOK_FOLDER),
      chatDataScript: readFileSync(CHAT_DATA_SCRIPT, 'utf8'),
    },
    controlPlane: { url: env.CONTROL_PLANE_URL ?? inCluster, key: env.OPERATOR_KEY },
    leaderElection: env.LEADER_ELECTION === 'true',
    identity: env.POD_NAME ?? `${hostname()}-${process.pid}`,
    http: { host: env.HTTP_HOST, port: env.HTTP_PORT },
    logLevel: env.LOG_LEVEL,
  };
}

/** The hook's files by their names. */
export function hookFiles(folder: string = HOOK_FOLDER): Record<string, string> {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.py'))
    .sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}
