import type { z } from 'zod';
import { group, version } from './common.ts';
import { type JsonSchema, jsonSchema } from './json-schema.ts';

/** A column of `kubectl get`; priority 1 shows it with `-o wide` only. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date';
  description: string;
  jsonPath: string;
  priority?: 1;
}

/** All that a CustomResourceDefinition says besides its schema. */
export interface Kind {
  kind: string;
  plural: string;
  singular: string;
  shortNames: string[];
  description: string;
  columns: PrinterColumn[];
  schema: z.ZodType;
}

const apiVersionText =
  'Version of the schema of this object; see https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources';
const kindText =
  'Kind of this object; see https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';

/** The CustomResourceDefinition of a kind, ready to be applied. */
export function definition(kind: Kind): Record<string, unknown> {
  const { kind: name, plural, singular, shortNames, description, columns } = kind;
  const root = jsonSchema(kind.schema);
  const { spec, status } = root.properties ?? {};
  if (!spec || !status) throw new Error(`${name}: the schema lacks spec or status`);
  const rules = root['x-kubernetes-validations'];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { 'app.kubernetes.io/part-of': 'cloudfreedom' },
      annotations: { 'helm.sh/resource-policy': 'keep' },
    },
    spec: {
      group,
      names: { kind: name, listKind: `${name}List`, plural, singular, shortNames, categories: ['cloudfreedom'] },
      scope: 'Cluster',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
              properties: {
                apiVersion: { type: 'string', description: apiVersionText },
                kind: { type: 'string', description: kindText },
                // the API server checks metadata itself and allows no schema for it
                metadata: { type: 'object' },
                spec: structural({ ...spec, description: 'What is wished.' }),
                status: structural({ ...status, description: 'What the operator found; written by it alone.' }),
              },
            },
          },
        },
      ],
    },
  };
}

/** Puts the words of each schema in one order and leaves out what says nothing, so that the files read well. */
function structural(node: JsonSchema): JsonSchema {
  const { type, description, default: standard, required, properties, items, minItems, ...rest } = node;
  return {
    ...(type === undefined ? {} : { type }),
    ...(description === undefined ? {} : { description }),
    ...(standard === undefined ? {} : { default: filledIn(node, standard) }),
    ...(required === undefined || required.length === 0 ? {} : { required }),
    ...(minItems === undefined || minItems === 0 ? {} : { minItems }),
    ...rest,
    ...(items === undefined ? {} : { items: structural(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, structural(child)])),
        }),
  };
}

/** A default with the defaults inside it: the API server judges the rules on it before it would fill those in. */
function filledIn(node: JsonSchema, standard: unknown): unknown {
  if (typeof standard !== 'object' || standard === null || Array.isArray(standard)) return standard;
  const inner = Object.entries(node.properties ?? {}).filter(([, child]) => child.default !== undefined);
  return { ...Object.fromEntries(inner.map(([name, child]) => [name, filledIn(child, child.default)])), ...standard };
}
