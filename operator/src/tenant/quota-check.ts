import { milli } from '@cloudfreedom/crds/quantity.ts';
import { DEFAULT_QUOTA } from './desired/quota.ts';
import { HELPER_SIZE, type Resources, replicasOf, sizeOf } from './desired/sizes.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { Wish } from './wish.ts';

const thousandths = (quantity: string) => milli(quantity) ?? 0n;
const MEBIBYTE = 1000n << 20n;

/**
 * What the tenant needs at most: every pod it wishes, one more of each that rolls, and a helper that runs beside them. A
 * backup and a person's chats being exported can meet; the one that finds no room then is tried again.
 */
export function quotaTooSmall(wish: Wish): Refusal | undefined {
  const { spec, plan } = wish;
  const managed = wish.externalDatabaseUrl === undefined;
  const parts: { size: Resources; pods: number }[] = [
    { size: sizeOf(spec, 'liteLlm'), pods: replicasOf(spec, 'liteLlm') + 1 },
    { size: sizeOf(spec, 'openWebUi'), pods: replicasOf(spec, 'openWebUi') + 1 },
    { size: sizeOf(spec, 'redis'), pods: 1 },
    ...(managed ? [{ size: sizeOf(spec, 'postgres'), pods: 1 }] : []),
    { size: HELPER_SIZE, pods: 1 },
  ];
  const sum = (of: 'cpu' | 'memory') =>
    parts.reduce((total, { size, pods }) => total + thousandths(size.limits[of]) * BigInt(pods), 0n);
  const { redisSize, postgresSize, backupSize } = spec.storage;
  const volumes = [
    redisSize,
    ...(managed ? [postgresSize] : []),
    ...(managed && spec.backup.enabled ? [backupSize] : []),
  ];
  const needs = [
    {
      what: 'CPU',
      need: sum('cpu'),
      quota: plan.quota?.cpu ?? DEFAULT_QUOTA.cpu,
      text: cores,
      field: 'spec.components',
    },
    {
      what: 'memory',
      need: sum('memory'),
      quota: plan.quota?.memory ?? DEFAULT_QUOTA.memory,
      text: bytes,
      field: 'spec.components',
    },
    {
      what: 'storage',
      need: volumes.reduce((total, size) => total + thousandths(size), 0n),
      quota: plan.quota?.storage ?? DEFAULT_QUOTA.storage,
      text: bytes,
      field: 'spec.storage',
    },
    {
      what: 'pods',
      need: BigInt(parts.reduce((total, { pods }) => total + pods, 0)) * 1000n,
      quota: String(plan.quota?.pods ?? DEFAULT_QUOTA.pods),
      text: cores,
      field: 'spec.components',
    },
  ];
  const short = needs.find(({ need, quota }) => need > thousandths(quota));
  if (!short) return undefined;
  return refuse(
    'QuotaExceeded',
    `the parts need ${short.text(short.need)} of ${short.what} at their limits, plan "${spec.plan}" allows ${short.quota}: lower ${short.field} or choose another plan`,
  );
}

const cores = (need: bigint) => (need % 1000n === 0n ? `${need / 1000n}` : `${need}m`);
const bytes = (need: bigint) => `${(need + MEBIBYTE - 1n) / MEBIBYTE}Mi`;
