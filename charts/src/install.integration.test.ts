import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startApiServer } from '../../e2e/cluster/api-server.ts';
import { makeAuthority } from '../../e2e/cluster/certificates.ts';
import { chartsFolder, crdsChart, helm, objects, platformChart, type Rendered, template } from './testing/helm.ts';

const NAMESPACE = 'cloudfreedom-system';
const AUTHORITY = 'cloudfreedom-local-ca';

const server = await startApiServer();
afterAll(() => server.stop());

function kubectl(args: readonly string[], input?: unknown): string {
  const command = path.join(server.binFolder, 'kubectl');
  const text = input === undefined ? {} : { input: JSON.stringify(input) };
  return execFileSync(command, ['--kubeconfig', server.kubeconfigPath, ...args], { encoding: 'utf8', ...text });
}
const get = (...args: string[]): Rendered => JSON.parse(kubectl(['-n', NAMESPACE, 'get', ...args, '-o', 'json']));
const install = (chart: string, name: string, ...args: string[]) =>
  helm(['upgrade', '--install', name, chart, '--namespace', NAMESPACE, ...args], server.kubeconfigPath);
const installPlatform = (...args: string[]) =>
  install(platformChart, 'cloudfreedom', '--set', `baseDomain=cf.example,tls.localCa.secretName=${AUTHORITY}`, ...args);

const folder = path.dirname(server.kubeconfigPath);
const authority = makeAuthority(folder, 'local-ca', 'local CA of a test');
kubectl(['apply', '--server-side', '-f', path.join(chartsFolder, 'namespace.yaml')]);
await install(crdsChart, 'cloudfreedom-crds');
kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);

const cases = readdirSync(path.join(platformChart, 'testdata')).sort();

test.each(cases)('the API server takes every object of the case %s, and its pods are restricted ones', async (name) => {
  const rendered = objects(await template('--values', path.join(platformChart, 'testdata', name, 'values.yaml')));
  for (const object of rendered) kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], object);
  const deployments = rendered.filter(({ kind }) => kind === 'Deployment');
  expect(deployments).toHaveLength(2);
  for (const { metadata, spec } of deployments) {
    const { metadata: podMetadata, spec: podSpec } = spec.template;
    // no controller makes the class here, and a name that nobody knows is refused
    const { priorityClassName: _, ...pod } = podSpec;
    const named = { ...podMetadata, name: metadata.name, namespace: NAMESPACE };
    // the namespace enforces Pod Security `restricted`: a pod that is not is refused, not only warned about
    kubectl(['create', '--dry-run=server', '-f', '-'], { apiVersion: 'v1', kind: 'Pod', metadata: named, spec: pod });
  }
});

test('an install makes keys and a certificate, and an upgrade leaves both as they are', async () => {
  kubectl([
    '-n',
    NAMESPACE,
    'create',
    'secret',
    'tls',
    AUTHORITY,
    `--cert=${authority.certificateFile}`,
    `--key=${authority.keyFile}`,
  ]);
  await installPlatform();
  const [keys, certificate] = [get('secret', 'control-plane-keys').data, get('secret', 'control-plane-tls').data];
  const decoded = (value: string) => Buffer.from(value, 'base64').toString();
  expect(decoded(keys['admin-key'])).toMatch(/^cf-admin-[A-Za-z0-9]{43}$/);
  expect(decoded(keys['operator-key'])).toMatch(/^cf-operator-[A-Za-z0-9]{43}$/);
  const openssl = ['verify', '-CAfile', authority.certificateFile, '-verify_hostname', 'api.cf.example'];
  expect(execFileSync('openssl', openssl, { input: decoded(certificate['tls.crt']), encoding: 'utf8' })).toContain(
    'OK',
  );

  await installPlatform('--set', 'operator.logLevel=debug');
  expect(get('secret', 'control-plane-keys').data).toEqual(keys);
  expect(get('secret', 'control-plane-tls').data).toEqual(certificate);
  expect(get('deployment', 'operator').spec.template.spec.containers[0].env).toContainEqual({
    name: 'LOG_LEVEL',
    value: 'debug',
  });
});

test('another host or another authority gets another certificate', async () => {
  const before = get('secret', 'control-plane-tls').data;
  await installPlatform('--set', 'baseDomain=other.example');
  const after = get('secret', 'control-plane-tls');
  expect(after.data['tls.crt']).not.toBe(before['tls.crt']);
  expect(after.metadata.annotations['cloudfreedom.de/hosts']).toBe('portal.other.example,api.other.example');
});

test('a key that is missing in the stored Secret is made, the other one stays', async () => {
  const before = get('secret', 'control-plane-keys').data;
  kubectl([
    '-n',
    NAMESPACE,
    'patch',
    'secret',
    'control-plane-keys',
    '--type=json',
    '-p',
    '[{"op":"remove","path":"/data/operator-key"}]',
  ]);
  await installPlatform();
  const after = get('secret', 'control-plane-keys').data;
  expect(after['admin-key']).toBe(before['admin-key']);
  expect(after['operator-key']).toMatch(/^[A-Za-z0-9+/=]{40,}$/);
  expect(after['operator-key']).not.toBe(before['operator-key']);
});

test('the catalogue is there, and a Model that is set to null goes', async () => {
  expect(get('plans').items.map(({ metadata }: Rendered) => metadata.name)).toEqual([
    'enterprise',
    'professional',
    'starter',
  ]);
  const names = () => get('models').items.map(({ metadata }: Rendered) => metadata.name);
  expect(names()).toContain('gpt-4-turbo');
  await installPlatform('--set', 'catalog.models.gpt-4-turbo=null');
  expect(names()).not.toContain('gpt-4-turbo');
});

test('the operator may do its work and no more, by the API server’s own answer', () => {
  const can = (verb: string, kind: string, ...args: string[]) => {
    const as = `--as=system:serviceaccount:${NAMESPACE}:operator`;
    try {
      return kubectl(['auth', 'can-i', verb, kind, as, ...args]).trim();
    } catch {
      return 'no';
    }
  };
  for (const kind of ['tenants.cloudfreedom.de', 'tenants.cloudfreedom.de/status'])
    expect([kind, can('patch', kind)]).toEqual([kind, 'yes']);
  expect(can('create', 'deployments.apps', '-n', 'tenant-demo')).toBe('yes');
  expect(can('create', 'leases.coordination.k8s.io', '-n', NAMESPACE)).toBe('yes');
  expect(can('create', 'leases.coordination.k8s.io', '-n', 'default')).toBe('no');
  for (const [verb, kind] of [
    ['create', 'pods'],
    ['create', 'pods/exec'],
    ['create', 'clusterrolebindings.rbac.authorization.k8s.io'],
    ['patch', 'nodes'],
    ['create', 'tenants.cloudfreedom.de'],
    ['delete', 'tenants.cloudfreedom.de'],
    ['patch', 'customresourcedefinitions.apiextensions.k8s.io'],
  ] as const) {
    expect([verb, kind, can(verb, kind)]).toEqual([verb, kind, 'no']);
  }
});

test('an uninstall keeps ledger, keys, definitions and tenants', async () => {
  kubectl(['apply', '--server-side', '-f', path.join(chartsFolder, '../examples/app.yaml')]);
  await helm(['uninstall', 'cloudfreedom', '--namespace', NAMESPACE], server.kubeconfigPath);
  await helm(['uninstall', 'cloudfreedom-crds', '--namespace', NAMESPACE], server.kubeconfigPath);
  expect(get('pvc').items.map(({ metadata }: Rendered) => metadata.name)).toEqual(['control-plane-data']);
  expect(get('secret', 'control-plane-keys').data['admin-key']).toBeDefined();
  expect(get('tenant', 'app').spec.plan).toBe('professional');
  expect(get('deployments').items).toEqual([]);
});

test('an install after that takes up what was kept', async () => {
  const keys = get('secret', 'control-plane-keys').data;
  await install(crdsChart, 'cloudfreedom-crds');
  await installPlatform();
  expect(get('secret', 'control-plane-keys').data).toEqual(keys);
  expect(get('tenant', 'app').spec.plan).toBe('professional');
});
