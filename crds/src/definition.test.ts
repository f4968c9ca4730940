import { expect, test } from 'vitest';
import { definition } from './definition.ts';
import { driftedFiles } from './generate.ts';
import type { JsonSchema } from './json-schema.ts';
import { kinds } from './kinds.ts';

const schemas = kinds.map((kind) => {
  const made = definition(kind) as { spec: { versions: { schema: { openAPIV3Schema: JsonSchema } }[] } };
  return [kind.kind, made.spec.versions[0]?.schema.openAPIV3Schema ?? {}] as const;
});

/** Every schema below `node`, with its path. */
function everyNode(node: JsonSchema, at: string): [string, JsonSchema][] {
  const children = Object.entries(node.properties ?? {}).flatMap(([name, child]) => everyNode(child, `${at}.${name}`));
  return [[at, node], ...children, ...(node.items ? everyNode(node.items, `${at}[]`) : [])];
}
const nodes = schemas.flatMap(([kind, schema]) => everyNode(schema, kind));

test('the files of the crds chart are what the source makes', () => {
  expect(driftedFiles()).toEqual([]);
});

test('kubectl explain has a sentence for every field', () => {
  const silent = nodes.filter(
    ([at, { description }]) => !description && !at.endsWith('[]') && !at.endsWith('.metadata'),
  );
  expect(silent.map(([at]) => at)).toEqual([]);
});

test('every string, list and number has a limit', () => {
  const bounded: Record<string, (node: JsonSchema) => boolean> = {
    string: ({ maxLength, enum: values, format }) => (maxLength ?? values ?? format) !== undefined,
    array: ({ maxItems }) => maxItems !== undefined,
    integer: ({ minimum }) => minimum !== undefined,
  };
  const boundless = nodes.filter(([at, node]) => {
    if (/^\w+\.(apiVersion|kind)$/.test(at)) return false;
    return bounded[node.type ?? '']?.(node) === false;
  });
  expect(boundless.map(([at]) => at)).toEqual([]);
});

test('each list says how several writers share it', () => {
  const lists = nodes.filter(([, { type }]) => type === 'array');
  expect(lists.filter(([, node]) => node['x-kubernetes-list-type'] === undefined).map(([at]) => at)).toEqual([]);
});

test('an object that may be left out carries the defaults of what is in it', () => {
  const tenant = schemas.find(([kind]) => kind === 'Tenant')?.[1];
  expect(tenant?.properties?.spec?.properties?.storage?.default).toEqual({
    postgresSize: '2Gi',
    redisSize: '1Gi',
    backupSize: '2Gi',
  });
});
