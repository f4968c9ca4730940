import type { ObjectRef, Resource, Selection } from './cluster.ts';

/** Query parameters; those that are `undefined` are left out. */
type Query = Record<string, string | number | boolean | undefined>;

/** The path of all objects of a kind, or of those in one namespace. */
export function collectionPath(resource: Resource, { namespace, ...selection }: Selection, query: Query = {}): string {
  const { labelSelector } = selection;
  return `${base(resource, namespace)}${search({ labelSelector: labelSelector || undefined, ...query })}`;
}

/** The path of one object or of its subresource. Throws when the namespace is missing, or given for what has none. */
export function objectPath({ resource, name, namespace }: ObjectRef, query: Query = {}, subresource = ''): string {
  if (resource.namespaced !== (namespace !== undefined))
    throw new Error(`${resource.kind} ${name}: ${resource.namespaced ? 'needs a namespace' : 'has no namespace'}`);
  const suffix = subresource === '' ? '' : `/${subresource}`;
  return `${base(resource, namespace)}/${encodeURIComponent(name)}${suffix}${search(query)}`;
}

function base({ apiVersion, plural }: Resource, namespace: string | undefined): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined
    ? `${group}/${plural}`
    : `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

function search(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
