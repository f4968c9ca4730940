import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileDriverScenarios } from '../testing/file-driver-scenarios.ts';
import { contentAddress } from './file-driver.ts';
import { folderDriver } from './folder-driver.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cloudfreedom-files-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

fileDriverScenarios(() => folderDriver(root));

test('leaves no draft behind, and lets no other account read', async () => {
  const address = contentAddress(7n, Buffer.alloc(32, 7));
  await folderDriver(root).put(address, Buffer.from('seven'));
  const file = join(root, address);
  expect(await readdir(join(file, '..'))).toEqual([address.split('/').at(-1)]);
  expect((await stat(file)).mode & 0o077).toBe(0);
});

test('a disk that fails half-way leaves neither the file nor a draft', async () => {
  const address = contentAddress(8n, Buffer.alloc(32, 8));
  // What is no buffer cannot be written: the write fails after the draft was made.
  await expect(folderDriver(root).put(address, 8 as never)).rejects.toThrow();
  expect(await readdir(join(root, address, '..'))).toEqual([]);
});
