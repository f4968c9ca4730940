import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { bringUp, type ClusterHandle, takeDown } from '../cluster/cluster.ts';
import { toolsFolder } from '../cluster/tools.ts';
import { type BuiltImage, buildImages } from '../images/build.ts';
import { type ImageName, imageNames } from '../images/recipes.ts';
import { progress, type Say } from '../process/progress.ts';
import { run } from '../process/run.ts';
import { until } from '../process/until.ts';
import { fakeProviderManifests, fakeProviderValues, PROVIDER_NAMESPACE } from './fake-provider.ts';
import { type Kubectl, kubectlFor, type Printed } from './kubectl.ts';
import { type LocalEnv, removeLocalEnv, root, writeLocalEnv } from './local-env.ts';
import { applyNeighbours, NEIGHBOURS_NAMESPACE, neighboursValues } from './neighbours.ts';
import { wayIn } from './way-in.ts';

/** Browsers and curl resolve every name below `.localhost` to loopback by themselves. */
const BASE_DOMAIN = process.env.BASE_DOMAIN ?? 'cloudfreedom.localhost';
const NAMESPACE = 'cloudfreedom-system';
const LOCAL_CA_SECRET = 'cloudfreedom-local-ca';
/** Longest wait for the platform's own pods on a busy two-core machine. */
const ROLLOUT_TIMEOUT = '300s';
const API_TIMEOUT_MS = 120_000;
const PORTAL_URL = `https://portal.${BASE_DOMAIN}`;

/**
 * Brings cluster, images and platform up, or up to date where they are up already, and writes `.local/env`. With caches
 * warm this takes about a minute; the first time on a machine it compiles Kubernetes and builds every image.
 */
export async function bringPlatformUp(say: Say): Promise<LocalEnv> {
  const [cluster, images, helmFolder] = await Promise.all([
    bringUp({ say: progress('cluster') }),
    buildImages(imageNames, progress('images')),
    toolsFolder('helm', progress('helm')),
  ]);
  say('handing the images to the node');
  await cluster.loadImages(images, say);
  const kubectl = await kubectlFor(cluster.kubeconfigPath);
  await prepareNamespaces(kubectl, cluster, images);
  const ingressService = await ingressServiceAddress(kubectl, cluster);
  await installCharts(path.join(helmFolder, 'helm'), cluster, images, ingressService, say);
  const env = await reachable(kubectl, cluster, say);
  await writeLocalEnv(env);
  return env;
}

/** Takes everything down that `bringPlatformUp` brought up; caches and the local authority stay. */
export async function takePlatformDown(say: Say): Promise<void> {
  await takeDown({ say });
  await removeLocalEnv();
}

const referenceOf = (images: BuiltImage[], name: ImageName): string => {
  const image = images.find((built) => built.name === name);
  if (!image) throw new Error(`no image ${name} was built`);
  return image.reference;
};

/** What a platform engineer brings to the installation: the namespace, provider keys, an authority for certificates. */
async function prepareNamespaces(kubectl: Kubectl, cluster: ClusterHandle, images: BuiltImage[]): Promise<void> {
  await kubectl.apply(await readFile(path.join(root, 'charts', 'namespace.yaml'), 'utf8'));
  await kubectl.apply(fakeProviderManifests(referenceOf(images, 'fake-upstream')));
  const secret = (name: string, type: string, stringData: Record<string, string>) =>
    stringify({ apiVersion: 'v1', kind: 'Secret', type, metadata: { name, namespace: NAMESPACE }, stringData });
  for (const provider of ['openai', 'anthropic', 'gemini']) {
    await kubectl.apply(secret(`provider-${provider}`, 'Opaque', { 'api-key': `key-for-the-fake-${provider}` }));
  }
  await applyNeighbours(kubectl, NAMESPACE, {
    image: referenceOf(images, 'neighbours'),
    baseDomain: BASE_DOMAIN,
    portalUrl: PORTAL_URL,
    ingressClass: cluster.ingressClass,
    authority: cluster.authority,
  });
  const { certificateFile, keyFile } = cluster.authority;
  const pair = { 'tls.crt': await readFile(certificateFile, 'utf8'), 'tls.key': await readFile(keyFile, 'utf8') };
  await kubectl.apply(secret(LOCAL_CA_SECRET, 'kubernetes.io/tls', pair));
}

/** Where pods reach what is served from outside. */
async function ingressServiceAddress(kubectl: Kubectl, cluster: ClusterHandle): Promise<string> {
  const { items } = await kubectl.json('services', '-n', cluster.ingressNamespace);
  const service = items.find((item: Printed) => item.spec.ports.some(({ port }: Printed) => port === 443));
  if (!service) throw new Error(`no Service in ${cluster.ingressNamespace} has port 443`);
  return service.spec.clusterIP;
}

/** Both charts, by the real helm, with the values a platform engineer would write. */
async function installCharts(
  helm: string,
  cluster: ClusterHandle,
  images: BuiltImage[],
  ingressService: string,
  say: Say,
): Promise<void> {
  const tagOf = (name: ImageName) => ({ tag: referenceOf(images, name).split(':').at(-1) });
  const provider = fakeProviderValues();
  const neighbours = neighboursValues(BASE_DOMAIN, ingressService);
  const values = {
    baseDomain: BASE_DOMAIN,
    images: {
      registry: 'localhost',
      operator: tagOf('operator'),
      controlPlane: tagOf('control-plane'),
      liteLlm: tagOf('litellm'),
      openWebUi: tagOf('open-webui'),
      postgres: tagOf('postgres'),
      redis: tagOf('redis'),
    },
    ingress: { className: cluster.ingressClass, namespace: cluster.ingressNamespace },
    tls: { localCa: { secretName: LOCAL_CA_SECRET } },
    tenants: { storageClassName: cluster.storageClass, providerEgress: provider.egress },
    catalog: provider.catalog,
    ...neighbours,
  };
  const install = (release: string, chart: string, input?: string) =>
    run(
      helm,
      [
        'upgrade',
        '--install',
        release,
        path.join(root, 'charts', chart),
        '--kubeconfig',
        cluster.kubeconfigPath,
        '--namespace',
        NAMESPACE,
        ...(input ? ['--values', '-'] : []),
      ],
      input ? { input } : {},
    );
  say('helm: installing the CustomResourceDefinitions');
  await install('cloudfreedom-crds', 'crds');
  say('helm: installing the platform');
  await install('cloudfreedom', 'platform', stringify(values));
}

/** Waits until the platform's own pods serve and the API answers through the ingress. */
async function reachable(kubectl: Kubectl, cluster: ClusterHandle, say: Say): Promise<LocalEnv> {
  say('waiting for operator, control plane and the fake provider');
  const rollout = (deployment: string, namespace: string) =>
    kubectl('rollout', 'status', `deployment/${deployment}`, '-n', namespace, `--timeout=${ROLLOUT_TIMEOUT}`);
  await rollout('control-plane', NAMESPACE);
  await rollout('operator', NAMESPACE);
  await rollout('fake-upstream', PROVIDER_NAMESPACE);
  await rollout('mail', NEIGHBOURS_NAMESPACE);
  await rollout('identity', NEIGHBOURS_NAMESPACE);
  const { data } = await kubectl.json('secret', 'control-plane-keys', '-n', NAMESPACE);
  const env: LocalEnv = {
    KUBECONFIG: cluster.kubeconfigPath,
    API_URL: `https://api.${BASE_DOMAIN}`,
    PORTAL_URL,
    ADMIN_KEY: Buffer.from(data['admin-key'], 'base64').toString('utf8'),
    BASE_DOMAIN,
    INGRESS_ADDRESS: cluster.ingressAddress,
    CA_FILE: cluster.authority.certificateFile,
  };
  const way = wayIn(env);
  try {
    await until(
      'the API through the ingress',
      async () => ((await way.api('GET', '/v1/tenants')).status === 200 ? true : undefined),
      { timeoutMs: API_TIMEOUT_MS },
    );
  } finally {
    await way.close();
  }
  say(`the platform answers at ${env.API_URL}`);
  return env;
}
