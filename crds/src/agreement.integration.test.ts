import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startApiServer } from '../../e2e/cluster/api-server.ts';
import { until } from '../../e2e/process/until.ts';
import { openJudge } from './testing/api-judge.ts';
import { examples, type Manifest, ourVerdict } from './testing/examples.ts';
import { mutate, seededRandom } from './testing/mutations.ts';

/** Mutated objects per run; each costs the API server about four milliseconds. */
const MUTATIONS = Number(process.env.FUZZ_MUTATIONS ?? 1_500);
/** Requests in flight to the API server. */
const BATCH = 20;

const server = await startApiServer();
const kubectl = (...args: string[]) =>
  execFileSync(path.join(server.binFolder, 'kubectl'), ['--kubeconfig', server.kubeconfigPath, ...args], {
    encoding: 'utf8',
  });
kubectl('apply', '--server-side', '-f', path.resolve(import.meta.dirname, '../../charts/crds/templates'));
kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all');
// A definition is established some moments before its description is published, one kind after another.
const describes = (kind: string) => kubectl('explain', `${kind}.spec`).includes('FIELDS:');
await until('all definitions to be published', () => ['tenant', 'plan', 'model'].every(describes) || undefined, {
  timeoutMs: 60_000,
});
const judge = openJudge(server.kubeconfigPath);
afterAll(async () => {
  judge.close();
  await server.stop();
});

const first = (objects: Manifest[]): Manifest => {
  const [object] = objects;
  if (!object) throw new Error('the example is empty');
  return object;
};

test('the API server takes every definition without a warning about its schema', () => {
  const conditions = kubectl(
    'get',
    'crd',
    '-o',
    'jsonpath={range .items[*].status.conditions[*]}{.type}={.status} {end}',
  );
  expect(conditions).not.toContain('NonStructuralSchema=True');
  expect(conditions.match(/Established=True/g)).toHaveLength(3);
});

test('kubectl explain describes every field', () => {
  const fields = ['tenant', 'plan', 'model']
    .map((kind) => kubectl('explain', '--recursive', `${kind}.spec`))
    .join('\n');
  expect(fields).toContain('alertThresholdsPercent');
  for (const field of ['tenant.spec.backup.schedule', 'plan.spec.quota.pods', 'model.spec.deployments.apiKeySecret']) {
    expect(kubectl('explain', field)).toMatch(/DESCRIPTION:\n {4}[A-Z]\w+/);
  }
});

test.each(examples('valid'))('the API server accepts $name', async ({ objects }) => {
  expect(await judge.create(first(objects))).toEqual({ accepted: true, message: '' });
});

test.each(examples('invalid'))('the API server refuses $name and says why', async ({ objects, expected }) => {
  const verdict = await judge.create(first(objects));
  expect(verdict).toEqual({ accepted: false, message: expect.stringContaining(expected['api server'] ?? '?') });
});

test.each(['changes/allowed', 'changes/refused'] as const)('the API server judges %s as we do', async (where) => {
  for (const { name, objects, expected } of examples(where)) {
    const [before, after] = objects as [Manifest, Manifest];
    expect([name, await judge.store(before)]).toEqual([name, { accepted: true, message: '' }]);
    const verdict = await judge.replace(after);
    expect([name, verdict.accepted]).toEqual([name, where === 'changes/allowed']);
    expect(verdict.message).toContain(expected.message ?? '');
    expect((await judge.remove(before)).accepted).toBe(true);
  }
});

test('a mutated object gets the same verdict from both', async () => {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
  console.log(`FUZZ_SEED=${seed} repeats this run`);
  const random = seededRandom(seed);
  const originals = examples('valid').map(({ objects }) => first(objects));
  const mutants = Array.from({ length: MUTATIONS }, (_, index) =>
    mutate(originals[index % originals.length] as Manifest, random),
  );
  const disagreements: unknown[] = [];
  let accepted = 0;
  for (let start = 0; start < mutants.length; start += BATCH) {
    const batch = mutants.slice(start, start + BATCH);
    const verdicts = await Promise.all(batch.map((mutant) => judge.create(mutant)));
    verdicts.forEach((theirs, index) => {
      const mutant = batch[index] as Manifest;
      const ours = ourVerdict(mutant);
      if (theirs.accepted) accepted++;
      if (ours.accepted !== theirs.accepted) disagreements.push({ mutant, ours: ours.message, theirs: theirs.message });
    });
  }
  console.log(`${accepted} of ${MUTATIONS} mutants were accepted by both`);
  expect(disagreements).toEqual([]);
  // a fuzz that only ever makes one verdict proves nothing
  expect(accepted).toBeGreaterThan(MUTATIONS / 10);
  expect(accepted).toBeLessThan((MUTATIONS * 9) / 10);
});
