import { expect, test } from 'vitest';
import { type Tenant, tenantChangeProblems } from './tenant.ts';
import { examples, type Manifest, ourVerdict, parseManifest } from './testing/examples.ts';

test.each(examples('valid'))('$name is accepted', ({ objects }) => {
  for (const object of objects) expect(ourVerdict(object)).toEqual({ accepted: true, message: '' });
});

test.each(examples('invalid'))('$name is refused with a path and a sentence', ({ objects, expected }) => {
  const parsed = parseManifest(objects[0] as Manifest);
  const found = parsed.ok ? [] : parsed.problems;
  expect(found).toContainEqual({ path: expected.path, message: expect.stringContaining(expected.message ?? '?') });
});

test('nothing of the invalid examples is refused for a second, unintended reason', () => {
  for (const { name, objects } of examples('invalid')) {
    const parsed = parseManifest(objects[0] as Manifest);
    expect([name, parsed.ok ? 0 : parsed.problems.length]).toEqual([name, 1]);
  }
});

const change = (objects: Manifest[]) => {
  const [before, after] = objects.map((object) => {
    const parsed = parseManifest(object);
    if (!parsed.ok) throw new Error(`the example itself is wrong: ${JSON.stringify(parsed.problems)}`);
    return (parsed.value as Tenant).spec;
  });
  if (!before || !after) throw new Error('the example needs two documents');
  return tenantChangeProblems(after, before);
};

test.each(examples('changes/allowed'))('the change "$name" is allowed', ({ objects }) => {
  expect(change(objects)).toEqual([]);
});

test.each(examples('changes/refused'))('the change "$name" is refused', ({ objects, expected }) => {
  expect(change(objects).map(({ message }) => message)).toEqual([expect.stringContaining(expected.message ?? '?')]);
});
