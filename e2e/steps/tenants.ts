import { stringify } from 'yaml';
import type { Kubectl, Printed } from '../platform/kubectl.ts';
import type { WayIn } from '../platform/way-in.ts';
import { until } from '../process/until.ts';

/** Seconds a tenant may take to Ready on a busy two-core machine where several start at once. */
const READY_TIMEOUT_SECONDS = 600;
/** Milliseconds an ingress controller may take to serve what is Ready. */
const ROUTE_TIMEOUT_MS = 60_000;

/** A Tenant as YAML text; `spec` is laid over a small Professional tenant. */
export function tenantYaml(name: string, spec: Record<string, unknown> = {}): string {
  return stringify({
    apiVersion: 'cloudfreedom.de/v1alpha1',
    kind: 'Tenant',
    metadata: { name },
    spec: { displayName: name, plan: 'professional', owners: [`owner@${name}.example`], language: 'en', ...spec },
  });
}

/** Waits as a platform engineer would: `kubectl wait --for=condition=Ready`. Returns the milliseconds it took. */
export async function waitReady(kubectl: Kubectl, ...names: string[]): Promise<number> {
  const started = Date.now();
  const tenants = names.map((name) => `tenant/${name}`);
  try {
    await kubectl('wait', '--for=condition=Ready', `--timeout=${READY_TIMEOUT_SECONDS}s`, ...tenants);
  } catch (cause) {
    throw new Error(`not Ready: ${await whyNotReady(kubectl, names)}`, { cause });
  }
  return Date.now() - started;
}

/** Each tenant's conditions that are not True, in one line, for a failure's message. */
export async function whyNotReady(kubectl: Kubectl, names: string[]): Promise<string> {
  const reasons: string[] = [];
  for (const name of names) {
    for (const { type, status, reason, message } of await conditions(kubectl, name)) {
      if (status !== 'True') reasons.push(`${name} ${type}=${status} ${reason}: ${message}`);
    }
  }
  return reasons.join('; ') || 'no conditions yet';
}

/** The conditions of a Tenant; empty before the operator has seen it. */
export async function conditions(kubectl: Kubectl, name: string): Promise<Printed[]> {
  return (await kubectl.json('tenant', name)).status?.conditions ?? [];
}

/** The host at which a Tenant's people chat, from its status. */
export async function chatHost(kubectl: Kubectl, name: string): Promise<string> {
  const { status } = await kubectl.json('tenant', name);
  return new URL(status.url).host;
}

/**
 * Waits until a Tenant is Ready and its address answers, and returns its host. Ready is what the cluster's objects say;
 * an ingress controller learns of them by its own watch, a moment later.
 */
export async function waitServing({ kubectl, way }: { kubectl: Kubectl; way: WayIn }, name: string): Promise<string> {
  await waitReady(kubectl, name);
  const host = await chatHost(kubectl, name);
  await until(
    `https://${host} to answer`,
    async () => ((await way.get(`https://${host}/health`)).status === 200 ? true : undefined),
    { timeoutMs: ROUTE_TIMEOUT_MS },
  );
  return host;
}

/** Takes the Tenant of a finished story away, without waiting: a node of two cores has room for some nine at a time. */
export async function retire(kubectl: Kubectl, name: string): Promise<void> {
  await kubectl('delete', 'tenant', name, '--ignore-not-found', '--wait=false');
}

/** The bootstrap account of a tenant's Open WebUI, as the printed way to log in says. */
export async function bootstrapAccount(kubectl: Kubectl, name: string): Promise<{ email: string; password: string }> {
  const { status } = await kubectl.json('tenant', name);
  const { data } = await kubectl.json('secret', 'open-webui', '-n', status.namespace);
  const decoded = (key: string) => Buffer.from(data[key], 'base64').toString('utf8');
  return { email: decoded('WEBUI_ADMIN_EMAIL'), password: decoded('WEBUI_ADMIN_PASSWORD') };
}

/** An API key as the API shows it once: its id, and the secret. */
export interface IssuedKey {
  id: string;
  key: string;
}

/** Issues an API key of the tenant. */
export async function issueKeyWithId(way: WayIn, tenant: string, name: string): Promise<IssuedKey> {
  const { status, body } = await way.api<IssuedKey>('POST', `/v1/tenants/${tenant}/keys`, { name });
  if (status !== 201) throw new Error(`no key for ${tenant}: ${status} ${JSON.stringify(body)}`);
  return { id: body.id, key: body.key };
}

/** Issues an API key of the tenant and returns the secret alone. */
export async function issueKey(way: WayIn, tenant: string, name: string): Promise<string> {
  return (await issueKeyWithId(way, tenant, name)).key;
}
