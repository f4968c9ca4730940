import { z } from 'zod';
import {
  apiVersion,
  BytesQuantity,
  CpuQuantity,
  DnsLabel,
  ModelName,
  metadata,
  ObjectName,
  StatusConditions,
} from './common.ts';
import { Euro } from './money.ts';
import { type Parsed, type Problem, parseObject } from './parse.ts';
import { notAbove } from './quantity.ts';
import { RateLimits } from './rate-limits.ts';
import { matching, setOf, text, withRule } from './schema.ts';
import { isTimeZone, timeZonePattern } from './time-zone.ts';
import { brokenTransitions, storageTransitions, tenantSpecTransitions, withTransitions } from './transitions.ts';

/** Host names below the base domain that the platform keeps for itself. */
export const reservedHostnames = ['admin', 'api', 'auth', 'login', 'portal', 'status', 'www'] as const;

const email = matching(
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/,
  254,
  'must be an e-mail address such as "ada@example.org"',
);

const domain = matching(
  /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])$/,
  253,
  'must be a full domain name in lower case, without scheme, port or wildcard, such as "ki.example.org"',
);

const timeZone = withRule(matching(timeZonePattern, 64, 'must be an IANA time zone such as "Europe/Berlin" or "UTC"'), {
  cel: "timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0",
  message: 'must be an IANA time zone such as "Europe/Berlin" or "UTC"',
  holds: isTimeZone,
});

// Each field of a cron line, with its own range, so that a bad one is refused here and not by the CronJob much later.
const cronField = (value: string) =>
  `(\\*|(${value})(-(${value}))?)(/[1-9][0-9]?)?(,(\\*|(${value})(-(${value}))?)(/[1-9][0-9]?)?)*`;
const cronPattern = new RegExp(
  `^${['[0-5]?[0-9]', '1?[0-9]|2[0-3]', '[1-9]|[12][0-9]|3[01]', '[1-9]|1[0-2]', '[0-6]'].map(cronField).join(' ')}$`,
);

const resourceFields = {
  cpuRequest: CpuQuantity.optional().describe('CPU that is kept free for each pod.'),
  cpuLimit: CpuQuantity.optional().describe('CPU that each pod may use at most.'),
  memoryRequest: BytesQuantity.optional().describe('Memory that is kept free for each pod.'),
  memoryLimit: BytesQuantity.optional().describe('Memory that each pod may use at most; above it the pod is stopped.'),
};
const replicas = z
  .int()
  .min(1)
  .max(5)
  .optional()
  .describe('Number of pods. One request needs one pod; more pods serve more people and survive a node.');

type Sizes = {
  cpuRequest?: string | undefined;
  cpuLimit?: string | undefined;
  memoryRequest?: string | undefined;
  memoryLimit?: string | undefined;
};

/** A request above its limit is refused by the API server only when the pod is made: say it at once instead. */
function withSaneSizes<S extends z.ZodType<Sizes>>(schema: S): S {
  const cpu = withRule(schema, {
    cel: '!has(self.cpuRequest) || !has(self.cpuLimit) || quantity(self.cpuRequest).compareTo(quantity(self.cpuLimit)) <= 0',
    message: 'cpuRequest must not be above cpuLimit',
    holds: (sizes) => notAbove(sizes.cpuRequest, sizes.cpuLimit),
  });
  return withRule(cpu, {
    cel: '!has(self.memoryRequest) || !has(self.memoryLimit) || quantity(self.memoryRequest).compareTo(quantity(self.memoryLimit)) <= 0',
    message: 'memoryRequest must not be above memoryLimit',
    holds: (sizes) => notAbove(sizes.memoryRequest, sizes.memoryLimit),
  });
}

const scalable = withSaneSizes(z.object({ replicas, ...resourceFields }));
const single = withSaneSizes(z.object(resourceFields));

const storage = withTransitions(
  z.object({
    className: ObjectName.optional().describe(
      "StorageClass of all volumes. Absent: the platform's or the cluster's default. Cannot be changed.",
    ),
    postgresSize: BytesQuantity.default('2Gi').describe('Volume of the database. Can grow, never shrink.'),
    redisSize: BytesQuantity.default('1Gi').describe('Volume of Redis. Can grow, never shrink.'),
    backupSize: BytesQuantity.default('2Gi').describe('Volume of the backups. Can grow, never shrink.'),
  }),
  storageTransitions,
);

const specFields = z.object({
  displayName: text(1, 80).describe('Name that people read, such as the name of the company.'),
  plan: DnsLabel.describe('Name of the Plan that sets budget, members, model classes and quota.'),
  owners: setOf(email, 1, 10).describe(
    'E-mail addresses of the people who own the tenant. The first one is the administrator of the chat from its first start on.',
  ),
  language: z.enum(['de', 'en']).default('de').describe('Language of the chat and of refusals.'),
  timeZone: timeZone
    .default('Europe/Berlin')
    .describe('IANA time zone in which a budget month begins and backups run.'),
  hostname: DnsLabel.optional().describe(
    "First label of the chat's host name below the platform's base domain. Absent: the Tenant's name.",
  ),
  customDomains: setOf(domain, 0, 5)
    .default([])
    .describe('Further full domain names that lead to the chat. Their DNS must point at the ingress.'),
  models: setOf(ModelName, 1, 100)
    .optional()
    .describe("Names of the Models that may be used. Absent: every Model of the Plan's classes."),
  dataResidency: z
    .enum(['any', 'eu', 'us'])
    .default('any')
    .describe('Only deployments of Models in this residency are called. With "any" all are.'),
  budget: z
    .object({
      monthlyEur: Euro.optional().describe(
        "Euro per month, provider cost and margin together. Absent: the Plan's budget.",
      ),
      memberMonthlyEur: Euro.optional().describe(
        'Euro per month that each user may spend of it, where the user has no limit of their own. Absent: no limit.',
      ),
      keyMonthlyEur: Euro.optional().describe(
        'Euro per month that each API key may spend of it, where the key has no limit of its own. Absent: no limit.',
      ),
      alertThresholdsPercent: setOf(z.int().min(1).max(100), 0, 10)
        .default([50, 80, 100])
        .describe('Shares of the budget, in percent, at which the owners are told.'),
    })
    .prefault({})
    .describe('What the tenant may spend.'),
  rateLimits: RateLimits.optional().describe(
    "What may pass the gateway in a minute. A limit that is absent is the Plan's.",
  ),
  branding: z
    .object({
      title: text(1, 60).optional().describe('Name shown in the chat. Absent: displayName.'),
      bannerText: text(1, 500).optional().describe('Notice shown above every chat.'),
    })
    .prefault({})
    .describe('How the chat presents itself.'),
  components: z
    .object({
      liteLlm: scalable.optional().describe('The model gateway.'),
      openWebUi: scalable.optional().describe('The chat.'),
      postgres: single.optional().describe('The database of the chat, when it is managed.'),
      redis: single.optional().describe('Cache, counters and settlement outbox.'),
    })
    .prefault({})
    .describe('Sizes of the parts. What is absent takes the platform’s small defaults.'),
  storage: storage.prefault({}).describe('Volumes.'),
  postgres: z
    .object({
      externalSecretName: ObjectName.describe(
        'Secret in the platform namespace whose key DATABASE_URL leads to a database of this tenant alone.',
      ),
    })
    .optional()
    .describe('Use a database from outside. Absent: a managed one. Cannot be switched once the Tenant exists.'),
  backup: z
    .object({
      enabled: z.boolean().default(true).describe('Whether the managed database is dumped on schedule.'),
      schedule: matching(cronPattern, 100, 'must be five cron fields such as "17 3 * * *"')
        .default('17 3 * * *')
        .describe("When, as five cron fields in the Tenant's time zone."),
      keep: z.int().min(1).max(90).default(7).describe('Number of backups kept; the oldest goes first.'),
    })
    .prefault({})
    .describe('Backups of the managed database.'),
  suspended: z
    .boolean()
    .default(false)
    .describe('True stops chat and gateway and refuses every request, from any state; all data is kept.'),
  deletionPolicy: z
    .enum(['Retain', 'Snapshot', 'Delete'])
    .default('Retain')
    .describe(
      'What deleting the Tenant does to its data. Retain: namespace, volumes and Secrets stay, and come back when the same Tenant is applied again. Snapshot: a last backup is taken and its volume kept, the rest goes. Delete: everything goes. The ledger is always kept.',
    ),
});
/** The wish of one tenant. After parsing every default is filled in, nested ones too. */
export const TenantSpec = withTransitions(specFields, tenantSpecTransitions);
export type TenantSpec = z.output<typeof TenantSpec>;

/** A TenantSpec as people write it: defaults may be absent. */
export type TenantSpecInput = z.input<typeof TenantSpec>;

const partVersion = text(0, 128).optional().describe('Version, or the digest of the image.');

export const TenantStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe('The metadata.generation that this status speaks of.'),
  conditions: StatusConditions.optional().describe('Ready, Reconciling, Stalled and one per part.'),
  url: text(0, 300).optional().describe('Where people chat.'),
  apiUrl: text(0, 300).optional().describe('Base URL for OpenAI clients.'),
  namespace: text(0, 63).optional().describe('Namespace that holds the tenant’s parts.'),
  versions: z
    .object({ liteLlm: partVersion, openWebUi: partVersion, postgres: partVersion, redis: partVersion })
    .optional()
    .describe('Image versions that run.'),
  budget: z
    .object({
      grantedEur: text(0, 32).optional().describe('Granted for the current month.'),
      spentEur: text(0, 32).optional().describe('Posted in the current month.'),
      availableEur: text(0, 32).optional().describe('Granted less posted less running holds.'),
    })
    .optional()
    .describe('The budget, refreshed when it moved by a hundredth of the grant or crossed an alert threshold.'),
  lastBackupTime: text(0, 64).optional().describe('When the last backup succeeded (RFC 3339).'),
});
export type TenantStatus = z.output<typeof TenantStatus>;

const tenantObject = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('Tenant'),
  metadata: metadata(DnsLabel),
  spec: TenantSpec,
  status: TenantStatus.optional(),
});

/** A tenant: a namespace with gateway, chat, database and cache, and a budget it can never exceed. */
export const Tenant = withRule(
  withRule(tenantObject, {
    cel: "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    message: 'metadata.name must be a DNS label: at most 63 lower-case letters, digits and "-"',
    holds: () => true, // zod judges the name where it stands
  }),
  {
    cel: `!((has(self.spec.hostname) ? self.spec.hostname : self.metadata.name) in [${reservedHostnames.map((name) => `'${name}'`).join(', ')}])`,
    message: `the platform keeps the host names ${reservedHostnames.join(', ')} for itself: choose another spec.hostname`,
    holds: (tenant) => !(reservedHostnames as readonly string[]).includes(tenant.spec.hostname ?? tenant.metadata.name),
  },
);
export type Tenant = z.output<typeof Tenant>;

/** Parses a Tenant as `kubectl apply` would judge it: unknown fields are refused, defaults filled in. */
export function parseTenant(value: unknown): Parsed<Tenant> {
  return parseObject(Tenant, value, { unknownFields: 'refuse' });
}

/** Parses a Tenant that the API server stored; fields of a newer version are passed over. */
export function readTenant(value: unknown): Parsed<Tenant> {
  return parseObject(Tenant, value, { unknownFields: 'ignore' });
}

/** What is wrong with changing a Tenant from `before` to `after`; empty when it may be done. */
export function tenantChangeProblems(after: TenantSpec, before: TenantSpec): Problem[] {
  return [
    ...brokenTransitions(tenantSpecTransitions, 'spec', after, before),
    ...brokenTransitions(storageTransitions, 'spec.storage', after.storage, before.storage),
  ];
}
