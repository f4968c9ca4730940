import path from 'node:path';
import { toolsFolder } from '../cluster/tools.ts';
import { run } from '../process/run.ts';

/** A Kubernetes object as kubectl prints it. */
// biome-ignore lint/suspicious/noExplicitAny: stories read single fields of every kind; each assertion checks what it reads
export type Printed = any;

/** kubectl against one cluster. */
export interface Kubectl {
  /** Runs kubectl and returns its standard output; throws `CommandFailed`. */
  (...args: string[]): Promise<string>;
  /** `kubectl get … -o json`, parsed. */
  json(...args: string[]): Promise<Printed>;
  /** `kubectl apply --server-side -f -` with YAML or JSON text. */
  apply(manifest: string): Promise<string>;
}

/** kubectl for the cluster of `kubeconfig`. */
export async function kubectlFor(kubeconfig: string): Promise<Kubectl> {
  const command = path.join(await toolsFolder('kubernetes'), 'kubectl');
  const call = async (args: string[], input?: string) =>
    (await run(command, ['--kubeconfig', kubeconfig, ...args], input === undefined ? {} : { input })).stdout;
  return Object.assign((...args: string[]) => call(args), {
    json: async (...args: string[]) => JSON.parse(await call(['get', ...args, '-o', 'json'])),
    apply: (manifest: string) => call(['apply', '--server-side', '-f', '-'], manifest),
  });
}
