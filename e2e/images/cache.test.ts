import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contentKey } from './cache.ts';

let folder: string;
const file = (name: string) => path.join(folder, 'sources', name);
const key = (texts: string[] = []) =>
  contentKey({ texts, paths: [path.join(folder, 'sources')], ignored: (name) => name.endsWith('.test.ts') });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'key-'));
  await mkdir(file('inner'), { recursive: true });
  await writeFile(file('a.ts'), 'a');
  await writeFile(file('inner/b.ts'), 'b');
});
afterAll(() => rm(folder, { recursive: true }));

it('changes with a content, a name, a mode and a text, and with nothing else', async () => {
  const before = await key();
  expect(before).toMatch(/^[0-9a-f]{12}$/);
  await writeFile(file('a.test.ts'), 'a test is no part of it');
  await writeFile(file('a.ts'), 'a');
  expect(await key()).toBe(before);

  const seen = new Set([before, await key(['another base'])]);
  await writeFile(file('inner/b.ts'), 'c');
  seen.add(await key());
  await chmod(file('inner/b.ts'), 0o755);
  seen.add(await key());
  await writeFile(file('inner/empty.ts'), '');
  seen.add(await key());
  expect(seen.size).toBe(5);
});

it('tells two texts from the same text in one', async () => {
  expect(await key(['ab', 'c'])).not.toBe(await key(['a', 'bc']));
});
