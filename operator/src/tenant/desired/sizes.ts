import { milli } from '@cloudfreedom/crds/quantity.ts';
import type { TenantSpec } from '@cloudfreedom/crds/tenant.ts';

/** Requests and limits of a container as Kubernetes takes them. */
export interface Resources {
  requests: { cpu: string; memory: string };
  limits: { cpu: string; memory: string };
}

/** What a part takes unless the Tenant says otherwise: small requests, room to start quickly. */
export const DEFAULT_SIZES = {
  liteLlm: { requests: { cpu: '100m', memory: '400Mi' }, limits: { cpu: '2', memory: '1Gi' } },
  openWebUi: { requests: { cpu: '50m', memory: '400Mi' }, limits: { cpu: '2', memory: '1Gi' } },
  postgres: { requests: { cpu: '20m', memory: '64Mi' }, limits: { cpu: '1', memory: '512Mi' } },
  redis: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '1', memory: '256Mi' } },
} as const satisfies Record<string, Resources>;

/** Resources of the small helpers: waiting for the database, dumping it, exporting chats. */
export const HELPER_SIZE: Resources = {
  requests: { cpu: '10m', memory: '16Mi' },
  limits: { cpu: '500m', memory: '256Mi' },
};

/** The resources of one part; a default gives way to what the Tenant states on the other side. */
export function sizeOf(spec: TenantSpec, part: keyof typeof DEFAULT_SIZES): Resources {
  const wished = spec.components[part] ?? {};
  const small = DEFAULT_SIZES[part];
  const cpu = pair(wished.cpuRequest, wished.cpuLimit, small.requests.cpu, small.limits.cpu);
  const memory = pair(wished.memoryRequest, wished.memoryLimit, small.requests.memory, small.limits.memory);
  return { requests: { cpu: cpu.request, memory: memory.request }, limits: { cpu: cpu.limit, memory: memory.limit } };
}

/** Number of pods of a part that can have several. */
export function replicasOf(spec: TenantSpec, part: 'liteLlm' | 'openWebUi'): number {
  return spec.suspended ? 0 : (spec.components[part]?.replicas ?? 1);
}

function pair(request: string | undefined, limit: string | undefined, smallRequest: string, smallLimit: string) {
  if (request !== undefined) return { request, limit: limit ?? larger(request, smallLimit) };
  if (limit !== undefined) return { request: smaller(smallRequest, limit), limit };
  return { request: smallRequest, limit: smallLimit };
}

const thousandths = (quantity: string) => milli(quantity) ?? 0n;
const larger = (a: string, b: string) => (thousandths(a) > thousandths(b) ? a : b);
const smaller = (a: string, b: string) => (thousandths(a) < thousandths(b) ? a : b);
