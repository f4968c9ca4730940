import type { Model, ModelDeployment } from '@cloudfreedom/crds/model.ts';

/** One deployment a tenant may call, and the environment variable that holds its key. */
export interface RouteDeployment extends ModelDeployment {
  keyVariable: string;
}

/** A Model as one tenant may use it: only deployments of its residency, only fallbacks it may use too. */
export interface ModelRoute {
  name: string;
  spec: Model['spec'];
  deployments: RouteDeployment[];
  fallbacks: string[];
}
