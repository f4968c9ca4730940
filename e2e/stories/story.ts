import { afterAll } from 'vitest';
import { type Kubectl, kubectlFor } from '../platform/kubectl.ts';
import { type LocalEnv, readLocalEnv } from '../platform/local-env.ts';
import { type WayIn, wayIn } from '../platform/way-in.ts';

/** What every story starts from: the running platform of `.local/env`. */
export interface Story {
  env: LocalEnv;
  kubectl: Kubectl;
  way: WayIn;
}

/** Opens the running platform for one story file and closes its connections after the last test. */
export async function openStory(): Promise<Story> {
  const env = await readLocalEnv();
  const way = wayIn(env);
  afterAll(() => way.close());
  return { env, way, kubectl: await kubectlFor(env.KUBECONFIG) };
}
