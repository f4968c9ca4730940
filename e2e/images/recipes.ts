import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..', '..');
const here = import.meta.dirname;

/** Version of the npm package `node` that the images run: the one of scripts/node. */
export const NODE_VERSION = '24.21.0';
/** Version of the npm package `npm` that installs packages while an image is built. */
export const NPM_VERSION = '11.19.1';

/** The images one can build, by the last part of their name. */
export type ImageName =
  | 'postgres'
  | 'redis'
  | 'litellm'
  | 'open-webui'
  | 'operator'
  | 'control-plane'
  | 'fake-upstream'
  | 'neighbours';

/** What decides one image. Paths are absolute. */
export interface Recipe {
  containerfile: string;
  /** Folder that COPY lines start from. */
  context: string;
  /** Files and folders that COPY lines name: all that the image can depend on, beside its bases. */
  inputs: string[];
  /** Which ARG names the image it starts from. */
  base: 'BASE' | 'NODE';
}

/** Whether a file or folder of this name never reaches an image; as the `.dockerignore` files say. */
export function isIgnored(name: string): boolean {
  return ['node_modules', 'dist', 'testdata', 'testing', '.git', '.local'].includes(name) || name.endsWith('.test.ts');
}

/** What npm wants to see of a checkout before it installs any one of its workspaces. */
const manifests = [
  'package.json',
  'package-lock.json',
  ...['crds', 'operator', 'control-plane', 'portal', 'e2e', 'e2e/neighbours'].map((name) => `${name}/package.json`),
];

/** Every image, in the order in which a fresh machine builds them: the slow ones first. */
export const recipes: Record<ImageName, Recipe> = {
  litellm: alone('litellm'),
  'open-webui': alone('open-webui'),
  postgres: alone('postgres'),
  redis: alone('redis'),
  // The control plane shares the operator's way to the API server, and serves the portal.
  'control-plane': ofCheckout('control-plane', [
    ...manifests,
    'tsconfig.json',
    'crds/src',
    'operator/src/runtime',
    'control-plane',
    'portal',
  ]),
  operator: ofCheckout('operator', [...manifests, 'crds/src', 'operator']),
  'fake-upstream': ofCheckout('fake-upstream', ['package.json', 'e2e/fake-upstream']),
  neighbours: ofCheckout('neighbours', [...manifests, 'e2e/neighbours', 'e2e/fake-identity']),
};

/** Names of all images. */
export const imageNames = Object.keys(recipes) as ImageName[];

/** An image made of the files beside its Containerfile. */
function alone(name: ImageName): Recipe {
  const context = path.join(here, name);
  return { containerfile: path.join(context, 'Containerfile'), context, inputs: [context], base: 'BASE' };
}

/** An image made of files of the checkout, and Node. */
function ofCheckout(name: ImageName, inputs: string[]): Recipe {
  const containerfile = path.join(here, name, 'Containerfile');
  return { containerfile, context: root, inputs: inputs.map((input) => path.join(root, input)), base: 'NODE' };
}
