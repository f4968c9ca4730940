import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../process/run.ts';
import { staticImage } from './static-image.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'static-image-'));
const program = path.join(folder, 'program');
const before = process.env.CLOUDFREEDOM_CACHE;
beforeAll(() => {
  process.env.CLOUDFREEDOM_CACHE = path.join(folder, 'cache');
});
afterAll(() => {
  if (before === undefined) delete process.env.CLOUDFREEDOM_CACHE;
  else process.env.CLOUDFREEDOM_CACHE = before;
  rmSync(folder, { recursive: true });
});

async function entry(file: string, name: string): Promise<string> {
  return (await run('tar', ['-xOf', file, name])).stdout;
}

test('an image holds its program, starts it, and runs as nobody in particular', async () => {
  writeFileSync(program, 'first');
  const { reference, archive } = await staticImage({ image: 'example', programs: [program] });
  expect(JSON.parse(await entry(archive, 'manifest.json'))).toEqual([
    { Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] },
  ]);
  const { config, rootfs } = JSON.parse(await entry(archive, 'config.json'));
  expect(config).toMatchObject({ User: '65532:65532', Entrypoint: ['/program'] });
  await run('tar', ['-xf', archive, '-C', folder, 'layer.tar']);
  const layer = path.join(folder, 'layer.tar');
  expect(await entry(layer, 'program')).toBe('first');
  const { stdout: sum } = await run('sha256sum', [layer]);
  expect(rootfs.diff_ids).toEqual([`sha256:${sum.split(' ')[0]}`]);
});

test('the same programs give the same image, other contents another', async () => {
  writeFileSync(program, 'first');
  const first = await staticImage({ image: 'example', programs: [program] });
  expect(await staticImage({ image: 'example', programs: [program] })).toEqual(first);
  writeFileSync(program, 'second');
  expect((await staticImage({ image: 'example', programs: [program] })).reference).not.toBe(first.reference);
});
