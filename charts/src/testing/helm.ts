import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { toolsFolder } from '../../../e2e/cluster/tools.ts';
import { run } from '../../../e2e/process/run.ts';

export const chartsFolder = path.resolve(import.meta.dirname, '../..');
export const platformChart = path.join(chartsFolder, 'platform');
export const crdsChart = path.join(chartsFolder, 'crds');

/** Where the goldens are rendered for. */
const RENDERED_FOR = ['--kube-version', '1.34.4', '--namespace', 'cloudfreedom-system'];

/** A Kubernetes object as a template renders it. */
// biome-ignore lint/suspicious/noExplicitAny: tests read single fields of every kind; each assertion checks what it reads
export type Rendered = any;

/** Runs the real helm; throws `CommandFailed` with what it said. */
export async function helm(args: readonly string[], kubeconfig?: string): Promise<string> {
  const env = { ...process.env, ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }) };
  return (await run(path.join(await toolsFolder('helm'), 'helm'), args, { env })).stdout;
}

/** `helm template` of the platform chart, as text. */
export function template(...args: string[]): Promise<string> {
  return helm(['template', 'cloudfreedom', platformChart, ...RENDERED_FOR, ...args]);
}

/** The objects in a rendered text. */
export function objects(text: string): Rendered[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((object) => object !== null);
}
