import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { issueCertificate, type KeyPair } from '../cluster/certificates.ts';
import type { Kubectl } from './kubectl.ts';

/** Where the mail server and the providers of sign-in run: a namespace of its own, as foreign services would. */
export const NEIGHBOURS_NAMESPACE = 'neighbours';
const SMTP_PORT = 2525;
const MAIL_WINDOW_PORT = 8025;
const IDENTITY_PORT = 8080;
/** What the platform is to the providers of sign-in. */
const client = { id: 'cloudfreedom-stories', secret: 'secret-of-the-fake-identity-providers' };
const PROVIDERS = ['google', 'github', 'gitlab'] as const;
/** Secrets in the platform's namespace that the chart's values name. */
const SMTP_SECRET = 'smtp';
const IDENTITY_SECRET = 'identity-providers';
const CA_SECRET = 'outside-ca';

export interface NeighboursOptions {
  image: string;
  baseDomain: string;
  portalUrl: string;
  ingressClass: string;
  authority: KeyPair;
}

/** The host at which the browser meets the providers of sign-in. */
export const identityHost = (baseDomain: string): string => `identity.${baseDomain}`;

/** Brings mail server and providers of sign-in up, and the Secrets with which the platform uses them. */
export async function applyNeighbours(
  kubectl: Kubectl,
  platformNamespace: string,
  options: NeighboursOptions,
): Promise<void> {
  const objects = [...mailServer(options), ...(await identityProviders(options)), ...secrets(platformNamespace)];
  const ca = await readFile(options.authority.certificateFile, 'utf8');
  objects.push(secretOf(platformNamespace, CA_SECRET, { 'ca.crt': ca }));
  await kubectl.apply(objects.map((object) => stringify(object)).join('---\n'));
}

/** The chart's values that make the platform use them, as a platform engineer would write them. */
export function neighboursValues(baseDomain: string, ingressServiceAddress: string) {
  const url = (provider: string) => `https://${identityHost(baseDomain)}/${provider}`;
  return {
    smtp: { existingSecret: SMTP_SECRET, ports: [SMTP_PORT] },
    identityProviders: {
      google: { existingSecret: IDENTITY_SECRET, issuer: url('google') },
      gitlab: { existingSecret: IDENTITY_SECRET, issuer: url('gitlab') },
      github: { existingSecret: IDENTITY_SECRET, url: url('github'), apiUrl: url('github') },
    },
    controlPlane: {
      extraCa: { secretName: CA_SECRET },
      // the rig's DNS knows no name of the base domain
      hostAliases: [{ ip: ingressServiceAddress, hostnames: [identityHost(baseDomain)] }],
    },
  };
}

/** A mail as the mail server shows it. */
export interface ArrivedMail {
  to: string[];
  from: string;
  subject: string;
  text: string;
  html: string | null;
}

/** Where the API server shows the mails that have arrived for an address. */
export function mailWindow(address: string): string {
  const service = `/api/v1/namespaces/${NEIGHBOURS_NAMESPACE}/services/mail:${MAIL_WINDOW_PORT}/proxy`;
  return `${service}/mails?to=${encodeURIComponent(address)}`;
}

/** The mails that have arrived for an address, the newest last. */
export async function mailsOf(kubectl: Kubectl, address: string): Promise<ArrivedMail[]> {
  return JSON.parse(await kubectl('get', '--raw', mailWindow(address)));
}

function mailServer({ image }: NeighboursOptions): object[] {
  const ports = [
    { name: 'smtp', containerPort: SMTP_PORT },
    { name: 'window', containerPort: MAIL_WINDOW_PORT },
  ];
  const container = {
    ...containerOf('mail', image, 'e2e/neighbours/mail-server.ts', ports),
    env: [{ name: 'HOST', value: '0.0.0.0' }],
    readinessProbe: { httpGet: { path: '/healthz', port: 'window' }, periodSeconds: 2 },
  };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NEIGHBOURS_NAMESPACE } },
    deployment('mail', container),
    service('mail', [SMTP_PORT, MAIL_WINDOW_PORT]),
  ];
}

async function identityProviders(options: NeighboursOptions): Promise<object[]> {
  const host = identityHost(options.baseDomain);
  const environment = {
    PORT: String(IDENTITY_PORT),
    HOST: '0.0.0.0',
    BASE_URL: `https://${host}`,
    PORTAL_URL: options.portalUrl,
    CLIENT_ID: client.id,
    CLIENT_SECRET: client.secret,
  };
  const ports = [{ name: 'http', containerPort: IDENTITY_PORT }];
  const container = {
    ...containerOf('identity', options.image, 'e2e/fake-identity/main.ts', ports),
    env: Object.entries(environment).map(([name, value]) => ({ name, value })),
    readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 2 },
  };
  const backend = { service: { name: 'identity', port: { number: IDENTITY_PORT } } };
  return [
    deployment('identity', container),
    service('identity', [IDENTITY_PORT]),
    await tlsSecret(host, options.authority),
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'identity', namespace: NEIGHBOURS_NAMESPACE },
      spec: {
        ingressClassName: options.ingressClass,
        tls: [{ hosts: [host], secretName: 'identity-tls' }],
        rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      },
    },
  ];
}

async function tlsSecret(host: string, authority: KeyPair): Promise<object> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cloudfreedom-neighbours-'));
  try {
    const pair = issueCertificate(folder, 'identity', { commonName: host, names: [host] }, authority);
    const data = {
      'tls.crt': await readFile(pair.certificateFile, 'utf8'),
      'tls.key': await readFile(pair.keyFile, 'utf8'),
    };
    return { ...secretOf(NEIGHBOURS_NAMESPACE, 'identity-tls', data), type: 'kubernetes.io/tls' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function secrets(platformNamespace: string): object[] {
  const keys = PROVIDERS.flatMap((provider) => [
    [`${provider}-client-id`, client.id],
    [`${provider}-client-secret`, client.secret],
  ]);
  return [
    secretOf(platformNamespace, SMTP_SECRET, { SMTP_URL: `smtp://mail.${NEIGHBOURS_NAMESPACE}.svc:${SMTP_PORT}` }),
    secretOf(platformNamespace, IDENTITY_SECRET, Object.fromEntries(keys)),
  ];
}

function secretOf(namespace: string, name: string, stringData: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
}

function containerOf(name: string, image: string, script: string, ports: object[]): object {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    args: [script],
    ports,
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: {
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

function deployment(name: string, container: object): object {
  const labels = { 'app.kubernetes.io/name': name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NEIGHBOURS_NAMESPACE, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container], automountServiceAccountToken: false } },
    },
  };
}

function service(name: string, ports: number[]): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: NEIGHBOURS_NAMESPACE },
    spec: {
      selector: { 'app.kubernetes.io/name': name },
      ports: ports.map((port) => ({ name: `port-${port}`, port, targetPort: port })),
    },
  };
}
