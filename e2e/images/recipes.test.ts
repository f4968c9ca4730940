import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageNames, isIgnored, NODE_VERSION, recipes } from './recipes.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(file, 'utf8');
const lines = (file: string, instruction: string) =>
  read(file)
    .split('\n')
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1));

describe.each(imageNames)('the image %s', (name) => {
  const { containerfile, context, inputs, base } = recipes[name];

  it('runs as a numeric user that is not root', () => {
    const users = lines(containerfile, 'USER');
    expect(users.at(-1)).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('starts from a public image that the build may replace', () => {
    expect(lines(containerfile, 'ARG')[0]).toMatch(new RegExp(`^${base}=docker\\.io/library/[a-z]+:\\S+$`));
    const stages = lines(containerfile, 'FROM').map((line) => line.replace(/ AS \w+$/, ''));
    expect(new Set(stages)).toEqual(new Set([`\${${base}}`]));
  });

  it('copies nothing that its key does not see', () => {
    const ofContext = lines(containerfile, 'COPY').filter((copied) => !copied.startsWith('--from='));
    for (const copied of ofContext) {
      const sources = copied.split(/\s+/).filter((word) => !word.startsWith('--'));
      for (const source of sources.slice(0, -1)) {
        const file = path.join(context, source);
        const seen = inputs.some((input) => file === input || file.startsWith(`${input}/`));
        expect(seen, `${source} is among the inputs`).toBe(true);
      }
    }
  });
});

it('leaves out of the key what the build leaves out of the image, and nothing else', () => {
  for (const name of imageNames.filter((name) => recipes[name].context === root)) {
    const patterns = read(`${recipes[name].containerfile}.dockerignore`).trim().split('\n');
    const sample = patterns.map((pattern) => pattern.replace('**/', '').replace('*', 'some'));
    expect(sample.filter((file) => !isIgnored(file))).toEqual([]);
  }
});

it('runs the Node version of the checkout', () => {
  expect(read(path.join(root, 'scripts/node'))).toContain(`version=${NODE_VERSION}\n`);
  for (const name of imageNames.filter((name) => recipes[name].base === 'NODE')) {
    expect(lines(recipes[name].containerfile, 'ARG')).toEqual([expect.stringContaining(`node:${NODE_VERSION}-`)]);
  }
});

it('locks every Python package by exact version and hash', () => {
  for (const image of ['litellm', 'open-webui']) {
    const folder = path.join(import.meta.dirname, image);
    for (const lock of readdirSync(folder).filter((file) => file.endsWith('.lock'))) {
      const packages = read(path.join(folder, lock)).trim().split('\n').slice(1);
      expect(packages.filter((line) => !/^[\w.-]+==[\w.!+-]+ --hash=sha256:[0-9a-f]{64}$/.test(line))).toEqual([]);
    }
  }
});
