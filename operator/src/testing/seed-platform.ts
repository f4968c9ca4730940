import type { Cluster } from '../runtime/cluster.ts';
import { customKind, ownedKind } from '../tenant/kinds.ts';
import { model, plan, secret } from './objects.ts';
import { settings } from './tenant-input.ts';

const MANAGER = 'helm';

/** Puts the platform's namespace, a provider's key, a Plan and two Models into a cluster. */
export async function seedPlatform(cluster: Cluster): Promise<void> {
  const namespace = settings.platformNamespace;
  await cluster.apply(
    ownedKind.namespace,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    MANAGER,
  );
  await cluster.apply(ownedKind.secret, secret(namespace, 'openai', { 'api-key': 'sk-provider' }), MANAGER);
  const { metadata: planMetadata, ...planRest } = plan();
  await cluster.apply(customKind.plan, { ...planRest, metadata: { name: planMetadata.name } }, MANAGER);
  for (const each of [model('gpt-4o', { fallbacks: ['gpt-4o-mini'] }), model('gpt-4o-mini', { class: 'mini' })]) {
    const { metadata, ...rest } = each;
    await cluster.apply(customKind.model, { ...rest, metadata: { name: metadata.name } }, MANAGER);
  }
}
