import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { observedKind, optionalKind, ownedKind } from '../../operator/src/tenant/kinds.ts';
import { objects, type Rendered, template } from './testing/helm.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

const rendered = objects(await template('--set', 'baseDomain=a.example'));
const rulesOf = (part: string): Rule[] =>
  rendered.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name.endsWith(`-${part}`)).rules;

/** `group/resource` of every rule that grants one of the verbs; the operator's unless said otherwise. */
function granted(...verbs: string[]): string[] {
  return grantedTo('operator', ...verbs);
}

function grantedTo(part: string, ...verbs: string[]): string[] {
  return rulesOf(part)
    .filter((rule) => rule.verbs.some((verb) => verbs.includes(verb)))
    .flatMap(({ apiGroups, resources }) => apiGroups.flatMap((group) => resources.map((each) => `${group}/${each}`)))
    .sort();
}

const name = ({ apiVersion, plural }: { apiVersion: string; plural: string }) =>
  `${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''}/${plural}`;
const owned = [...Object.values(ownedKind), ...Object.values(optionalKind)].map(name).sort();

test('the operator may create and delete exactly the kinds that a tenant consists of', () => {
  expect(granted('delete')).toEqual(owned);
  expect(granted('create')).toEqual([...owned, 'events.k8s.io/events'].sort());
});

test('the operator may look at what it watches', () => {
  for (const kind of [...owned, ...Object.values(observedKind).map(name)]) {
    if (!kind.endsWith('/events')) expect(granted('watch')).toContain(kind);
  }
});

test('the control plane may write Tenants, look at plans and models, and nothing else', () => {
  expect(grantedTo('control-plane', 'create', 'patch', 'delete')).toEqual(['cloudfreedom.de/tenants']);
  expect(grantedTo('control-plane', 'get', 'list', 'watch')).toEqual([
    'cloudfreedom.de/models',
    'cloudfreedom.de/plans',
    'cloudfreedom.de/tenants',
  ]);
});

test('no role has a wildcard, and none may touch roles, nodes or the insides of pods', () => {
  const everything = JSON.stringify(rendered.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role'));
  for (const word of [
    '"*"',
    'escalate',
    'bind"',
    'impersonate',
    'clusterroles',
    'nodes',
    'pods/exec',
    'deletecollection',
  ]) {
    expect(everything).not.toContain(word);
  }
});

test('operator and control plane have a token, and every container is closed in', () => {
  const templates = rendered.filter(({ kind }) => kind === 'Deployment').map(({ spec }) => spec.template.spec);
  expect(templates.map(({ automountServiceAccountToken: token }) => token)).toEqual([true, true]);
  for (const pod of templates) {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const container of pod.containers as Rendered[]) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.requests).toEqual({ cpu: expect.any(String), memory: expect.any(String) });
      expect(container.resources.limits.memory).toEqual(expect.any(String));
    }
  }
});

test.each(['operator', 'control-plane'])('the %s reads every variable that it is given', (name) => {
  const isIt = ({ kind, metadata }: Rendered) => kind === 'Deployment' && metadata.name === name;
  const { containers } = rendered.find(isIt).spec.template.spec;
  const config = readFileSync(path.resolve(import.meta.dirname, '../..', name, 'src/config.ts'), 'utf8');
  const names: string[] = containers[0].env.map((variable: Rendered) => variable.name);
  expect(names.filter((variable) => !config.includes(`${variable}:`))).toEqual([]);
});
