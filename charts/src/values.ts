import { z } from 'zod';
import { BytesQuantity, DnsLabel, ModelName, ObjectName, Residency, SecretKey } from '../../crds/src/common.ts';
import { ModelDeployment, ModelSpec, Provider } from '../../crds/src/model.ts';
import { PlanSpec } from '../../crds/src/plan.ts';

/** An optional string: empty stands for absent, as is the custom in charts. */
function orEmpty<S extends z.ZodType<string>>(schema: S) {
  return z.union([z.literal(''), schema]);
}

const url = z.string().regex(/^https?:\/\/[^\s]+$/);
const logLevel = z.enum(['debug', 'info', 'warn', 'error']).describe('Least level that is logged.');
const cidr = z.string().regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/);
const port = z.int().min(1).max(65_535);
const domain = z.string().regex(/^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])$/);

const applicationSecret = (provider: string) =>
  orEmpty(ObjectName).describe(
    `Secret with ${provider}-client-id and ${provider}-client-secret of an application whose redirect URI is https://portal.<baseDomain>/v1/sign-in/${provider}/callback. Empty: not offered.`,
  );

const image = (of: string) =>
  z.object({
    repository: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._:/-]*$/)
      .describe(`Repository of the image of ${of}.`),
    tag: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{0,128}$/)
      .describe("Tag. Empty: the chart's appVersion."),
    digest: orEmpty(z.string().regex(/^sha256:[0-9a-f]{64}$/)).describe('Digest; it wins over the tag.'),
  });

const amounts = z.object({
  cpu: z
    .string()
    .regex(/^[0-9]+m?$/)
    .optional()
    .describe('CPU, such as 50m.'),
  memory: BytesQuantity.optional().describe('Memory, such as 128Mi.'),
});
const resources = z.object({
  requests: amounts.describe('What is kept free for each pod.'),
  limits: amounts.describe('What each pod may use at most.'),
});

const anything = z.record(z.string(), z.unknown());
const strings = z.record(z.string(), z.string());

const provider = z.object({
  apiBase: orEmpty(url).describe("Base URL of the endpoint. Empty: the provider's own."),
  residency: Residency.describe('Where it processes data; a Tenant may ask for one residency only.'),
  apiKeySecret: z.object({
    name: ObjectName.describe('Secret in the release namespace that holds the key; made by you.'),
    key: SecretKey.describe('Key inside the Secret.'),
  }),
});

// the chart makes the deployment from the provider
const { deployments: _, ...modelFields } = ModelSpec.shape;
const model = z.object({
  provider: Provider.describe('Which of catalog.providers serves it.'),
  model: ModelDeployment.shape.model.optional().describe("The provider's name for it. Absent: our name."),
  ...modelFields,
});

const door = z.union([
  z.object({ cidr: cidr.describe('Addresses.'), ports: z.array(port).min(1) }),
  z.object({
    namespace: DnsLabel.describe('Namespace of the pods.'),
    podLabels: strings.describe('Labels of the pods.'),
    ports: z.array(port).min(1),
  }),
]);

/** Everything the platform chart can be told. values.schema.json and the README's table are made from it. */
export const Values = z.object({
  baseDomain: orEmpty(domain).describe(
    'Required. Chats live at https://<tenant>.<baseDomain>, the portal at https://portal.<baseDomain>, the API at https://api.<baseDomain>.',
  ),
  images: z.object({
    registry: z.string().describe('Put before every repository, such as the address of your registry. Empty: nothing.'),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).describe("For the platform's and the tenants' pods."),
    operator: image('the operator'),
    controlPlane: image('the control plane'),
    liteLlm: image("a tenant's LiteLLM"),
    openWebUi: image("a tenant's Open WebUI"),
    postgres: image("a tenant's Postgres"),
    redis: image("a tenant's Redis"),
  }),
  operator: z.object({
    replicas: z.int().min(1).max(5).describe('One leads, the others stand by.'),
    logLevel,
    resources,
  }),
  controlPlane: z.object({
    replicas: z.int().min(1).max(10).describe('More than one needs database.existingSecret.'),
    logLevel,
    resources,
    database: z.object({
      existingSecret: orEmpty(ObjectName).describe(
        'Secret with the URL of a Postgres. Empty: the embedded one on a volume of its own.',
      ),
      key: SecretKey.describe('Key of the URL inside the Secret.'),
    }),
    storage: z.object({
      size: BytesQuantity.describe('Volume of the embedded database. It can grow where the StorageClass allows it.'),
      className: orEmpty(ObjectName).describe("StorageClass. Empty: the cluster's default."),
    }),
    files: z.object({
      s3: z.object({
        endpoint: orEmpty(url).describe(
          'S3-compatible storage of logos, exports and invoices, such as https://s3.example.org; open its door in networkPolicy.controlPlaneEgress. Empty: beside the embedded database; with a database elsewhere, none.',
        ),
        bucket: z
          .string()
          .regex(/^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$/)
          .describe('Bucket, which is there already.'),
        region: z.string().min(1).describe('Region that requests are signed for.'),
        existingSecret: orEmpty(ObjectName).describe('Secret with access-key and secret-key.'),
      }),
    }),
    portal: z.object({
      url: orEmpty(url).describe('Where people sign in and manage their tenants. Empty: https://portal.<baseDomain>.'),
      admins: z
        .array(z.string().regex(/^[^@\s,]+@[^@\s,]+$/))
        .describe('Addresses of people who administer the platform, once they have confirmed theirs.'),
    }),
    topUpUrl: orEmpty(url).describe(
      'Where a refusal sends people to top up. Empty: https://portal.<baseDomain>/top-up.',
    ),
    holdTtlSeconds: z
      .int()
      .min(60)
      .max(86_400)
      .describe('Seconds after which an unsettled hold expires; longer than the longest answer.'),
    extraCa: z.object({
      secretName: orEmpty(ObjectName).describe(
        'Secret with a CA that is trusted beside the public ones, for services of your own. Empty: none.',
      ),
      key: SecretKey.describe('Key of the PEM text inside the Secret.'),
    }),
    hostAliases: z
      .array(z.object({ ip: z.string(), hostnames: z.array(z.string()).min(1) }))
      .describe("Names that the cluster's DNS does not know, as in a pod's hostAliases."),
    otlpEndpoint: orEmpty(url).describe('OpenTelemetry collector for traces. Empty: none.'),
    exchangeRate: z.object({
      usdPerEur: z
        .string()
        .regex(/^[0-9]{1,3}\.[0-9]{1,6}$/)
        .describe('US dollars for one euro, as the European Central Bank prints it.'),
      date: z
        .string()
        .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/)
        .describe('The day that rate is of; it is kept with every entry.'),
    }),
  }),
  smtp: z.object({
    existingSecret: orEmpty(ObjectName).describe(
      'Secret with the URL of the mail server, such as smtps://user:password@mail.example.org. Empty: no mail is sent.',
    ),
    key: SecretKey.describe('Key of the URL inside the Secret.'),
    from: z
      .string()
      .regex(/^([^@\s]+@[^@\s]+)?$/)
      .describe('Address that mails come from. Empty: no-reply@<baseDomain>.'),
    ports: z
      .array(port)
      .min(1)
      .describe('Ports of the mail server that the NetworkPolicy lets the control plane reach.'),
  }),
  identityProviders: z
    .object({
      google: z.object({ existingSecret: applicationSecret('google'), issuer: url.describe('Its OpenID issuer.') }),
      github: z.object({
        existingSecret: applicationSecret('github'),
        url: url.describe('Where people sign in; another one for an Enterprise Server.'),
        apiUrl: url.describe('Its API; https://<host>/api/v3 for an Enterprise Server.'),
      }),
      gitlab: z.object({
        existingSecret: applicationSecret('gitlab'),
        issuer: url.describe('Its OpenID issuer; the address of a GitLab of your own.'),
      }),
    })
    .describe('Accounts elsewhere that people may sign in with.'),
  webhooks: z.object({
    trustedHosts: z
      .array(z.string().regex(/^[^\s,:]+:[0-9]{1,5}$/))
      .describe(
        'host:port that webhooks may call though it is in a private network or without TLS; open its door in networkPolicy.controlPlaneEgress too.',
      ),
  }),
  keys: z.object({
    existingSecret: orEmpty(ObjectName).describe(
      'Secret with admin-key, operator-key and encryption-key. Empty: control-plane-keys is made once and never rolled.',
    ),
  }),
  ingress: z.object({
    enabled: z.boolean().describe('Whether portal and API are reachable from outside. Tenants always are.'),
    className: orEmpty(ObjectName).describe("IngressClass of portal, API and tenants. Empty: the cluster's default."),
    namespace: DnsLabel.describe('Namespace of the ingress controller: its pods, and no others, are let in.'),
    annotations: strings.describe('Annotations of the Ingress of portal and API.'),
    trustedProxies: z
      .array(cidr)
      .describe('Networks of the proxies in front; only their X-Forwarded-For is believed. Empty: nobody’s.'),
  }),
  tls: z.object({
    localCa: z.object({
      secretName: orEmpty(ObjectName).describe(
        'Secret with tls.crt and tls.key of a local authority that signs all certificates.',
      ),
    }),
    clusterIssuer: orEmpty(ObjectName).describe(
      "cert-manager's ClusterIssuer that signs all certificates. Empty, both: the ingress controller's default certificate.",
    ),
  }),
  tenants: z.object({
    storageClassName: orEmpty(ObjectName).describe(
      "StorageClass where a Tenant names none. Empty: the cluster's default.",
    ),
    providerEgress: z
      .array(door)
      .describe(
        'Doors for providers that are not on the public internet: {cidr, ports} or {namespace, podLabels, ports}. Port 443 of public addresses is always open.',
      ),
  }),
  networkPolicy: z.object({
    enabled: z.boolean().describe("Whether the platform's namespace is closed but for what it needs."),
    apiServer: z.object({
      cidrs: z.array(cidr).min(1).describe('Addresses of the API server; narrow them where you know them.'),
      ports: z.array(port).min(1).describe('Ports of the API server.'),
    }),
    controlPlaneEgress: z
      .array(anything)
      .describe('Further egress rules of the control plane: an outside database, a trace collector.'),
  }),
  monitoring: z.object({
    namespace: orEmpty(DnsLabel).describe('Namespace whose pods may read metrics. Empty: none.'),
    serviceMonitor: z.boolean().describe('Makes ServiceMonitors where the cluster knows that kind.'),
    rules: z.object({
      enabled: z
        .boolean()
        .describe('Makes a PrometheusRule of alerts on the ledger, where the cluster knows that kind.'),
      labels: strings.describe('Labels of it, by which your Prometheus selects rules.'),
    }),
  }),
  scheduling: z.object({
    nodeSelector: strings.describe("Nodes the platform's pods may run on."),
    tolerations: z.array(anything).describe("Taints the platform's pods tolerate."),
    priorityClassName: orEmpty(ObjectName).describe("PriorityClass of the platform's pods."),
  }),
  catalog: z.object({
    providers: z.object({ openai: provider, anthropic: provider, gemini: provider }),
    plans: z
      .record(DnsLabel, PlanSpec)
      .describe('Plans by name; see `kubectl explain plan.spec`. Set one to null to leave it out.'),
    models: z
      .record(ModelName, model)
      .describe('Models by name; see `kubectl explain model.spec`. Set one to null to leave it out.'),
  }),
});
