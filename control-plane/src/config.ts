import { z } from 'zod';
import type { S3Settings } from './files/s3-driver.ts';
import { type IdentityProviderSettings, readIdentityProviders } from './identity/social/settings.ts';
import type { KubernetesSetting } from './kubernetes/tenant-resources.ts';
import { usdPerEurMicro } from './pricing/rate.ts';

/** Keys shorter than this are guessable; a process with one does not start. */
const MIN_KEY_LENGTH = 16;

const Key = z.string().min(MIN_KEY_LENGTH, `must have at least ${MIN_KEY_LENGTH} characters`);

/** The environment of the control plane. Parsed once, at start; anything wrong ends the process with a clear text. */
const Environment = z
  .object({
    HOST: z.string().default('0.0.0.0'),
    PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
    ADMIN_KEY: Key,
    OPERATOR_KEY: Key,
    ENCRYPTION_KEY: z.string().min(32, 'must have at least 32 characters that nobody can guess'),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    DATA_DIR: z.string().default('/var/lib/cloudfreedom'),
    BASE_DOMAIN: z.string().default('localhost'),
    PORTAL_URL: z.url({ protocol: /^https?$/ }).optional(),
    PORTAL_FOLDER: z.string().optional(),
    CLUSTER_URL: z.url({ protocol: /^https?$/ }).optional(),
    TRUSTED_PROXIES: z
      .string()
      .regex(/^[0-9a-fA-F.:]+\/\d{1,3}(,[0-9a-fA-F.:]+\/\d{1,3})*$/, 'must be networks like 10.0.0.0/8, commas between')
      .optional(),
    PLATFORM_ADMINS: z
      .string()
      .regex(/^[^\s,@]+@[^\s,@]+(,[^\s,@]+@[^\s,@]+)*$/, 'must be e-mail addresses, commas between')
      .optional(),
    KUBERNETES: z
      .string()
      .regex(/^(off|in-cluster|\/.+)$/, 'must be "in-cluster", "off", or the path of a kubeconfig')
      .default('off'),
    SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
    MAIL_FROM: z.email().optional(),
    WEBHOOK_TRUSTED_HOSTS: z
      .string()
      .regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, 'must be host:port, several with commas between')
      .optional(),
    TOP_UP_URL: z.url({ protocol: /^https?$/ }).optional(),
    USD_EUR_RATE: z
      .string()
      .regex(/^[0-9]{1,3}(\.[0-9]{1,6})?$/, 'must be US dollars for one euro, like "1.1590"')
      .refine((text) => Number(text) > 0, 'must be above zero'),
    USD_EUR_RATE_DATE: z.iso.date(),
    HOLD_TTL_SECONDS: z.coerce.number().int().min(10).max(86_400).default(3600),
    S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
    S3_BUCKET: z.string().min(3).max(63).optional(),
    S3_REGION: z.string().min(1).default('auto'),
    S3_ACCESS_KEY: z.string().min(1).optional(),
    S3_SECRET_KEY: z.string().min(1).optional(),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  })
  .refine((env) => env.ADMIN_KEY !== env.OPERATOR_KEY, {
    path: ['OPERATOR_KEY'],
    message: 'must differ from ADMIN_KEY',
  })
  .refine(
    ({ S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY }) =>
      new Set([S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY].map((value) => value === undefined)).size === 1,
    {
      path: ['S3_ENDPOINT'],
      message: 'needs S3_BUCKET, S3_ACCESS_KEY and S3_SECRET_KEY beside it, or none of the four',
    },
  );

/** Either all that S3 needs, or nothing of it. */
function s3Settings(values: z.output<typeof Environment>): S3Settings | undefined {
  const { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey } = values;
  if (endpoint === undefined || bucket === undefined || accessKey === undefined || secretKey === undefined) return;
  return { endpoint, bucket, accessKey, secretKey, region: values.S3_REGION };
}

/** What the process was told. Keys are in it: it is never logged. */
export type Config = {
  readonly host: string;
  readonly port: number;
  readonly adminKey: string;
  readonly operatorKey: string;
  /** Absent: the embedded Postgres in `dataFolder`. */
  readonly databaseUrl: string | undefined;
  readonly dataFolder: string;
  /** Secrets that must be read again are sealed under it. */
  readonly encryptionKey: string;
  /** Where people are: pages, API and OpenID provider. */
  readonly portalUrl: string;
  /** Where pods of tenants reach us, past any ingress. Absent: where the chart puts us. */
  readonly clusterUrl: string | undefined;
  /** The portal's built pages. Absent: the API alone is served. */
  readonly portalFolder: string | undefined;
  /** Networks of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Addresses of people who administer the platform. */
  readonly platformAdmins: readonly string[];
  /** Providers whose accounts people may sign in with. */
  readonly identityProviders: IdentityProviderSettings;
  /** How the API server is reached, for tenants made at the portal. */
  readonly kubernetes: KubernetesSetting;
  readonly topUpUrl: string;
  /** smtp:// or smtps://, user and password inside. Absent: no mail is sent. */
  readonly smtpUrl: string | undefined;
  /** What mails are sent from. */
  readonly mailFrom: string;
  /** host:port that webhooks may call in private networks and without TLS. */
  readonly webhookTrustedHosts: readonly string[];
  /** Where tenants' files lie. Absent: in `dataFolder`. */
  readonly s3: S3Settings | undefined;
  readonly rate: { readonly usdPerEurMicro: bigint; readonly day: string };
  readonly holdTtlMs: number;
  readonly logLevel: string;
  readonly otlpEndpoint: string | undefined;
};

/** @throws Error naming every variable that is missing or wrong, without its value */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse({ ...DEVELOPMENT_RATE, ...given });
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`the environment is not usable:\n  ${faults.join('\n  ')}`);
  }
  const values = parsed.data;
  const portalUrl = (values.PORTAL_URL ?? `https://portal.${values.BASE_DOMAIN}`).replace(/\/+$/, '');
  return {
    host: values.HOST,
    port: values.PORT,
    adminKey: values.ADMIN_KEY,
    operatorKey: values.OPERATOR_KEY,
    databaseUrl: values.DATABASE_URL,
    dataFolder: values.DATA_DIR,
    encryptionKey: values.ENCRYPTION_KEY,
    portalUrl,
    clusterUrl: values.CLUSTER_URL?.replace(/\/+$/, ''),
    portalFolder: values.PORTAL_FOLDER,
    trustedProxies: values.TRUSTED_PROXIES?.split(',') ?? [],
    platformAdmins: values.PLATFORM_ADMINS?.toLowerCase().split(',') ?? [],
    identityProviders: readIdentityProviders(given),
    kubernetes: values.KUBERNETES,
    topUpUrl: values.TOP_UP_URL ?? `${portalUrl}/top-up`,
    smtpUrl: values.SMTP_URL,
    mailFrom: values.MAIL_FROM ?? `no-reply@${values.BASE_DOMAIN}`,
    webhookTrustedHosts: values.WEBHOOK_TRUSTED_HOSTS?.split(',') ?? [],
    s3: s3Settings(values),
    rate: { usdPerEurMicro: usdPerEurMicro(values.USD_EUR_RATE), day: values.USD_EUR_RATE_DATE },
    holdTtlMs: values.HOLD_TTL_SECONDS * 1000,
    logLevel: values.LOG_LEVEL,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
}

/** For `node src/main.ts` on a developer's machine; the chart always sets both. */
export const DEVELOPMENT_RATE = { USD_EUR_RATE: '1.1590', USD_EUR_RATE_DATE: '2026-11-20' };
