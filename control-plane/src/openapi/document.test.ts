import { expect, test } from 'vitest';
import { routes } from '../routes/routes.ts';
import { openApiDocument } from './document.ts';
import { TAGS } from './introduction.ts';

type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name?: string; readonly in?: string; readonly $ref?: string }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
};
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** What must always answer is not limited, so nothing is refused there. */
const NEVER_REFUSED = ['healthz', 'readyz', 'metrics'];

const document = JSON.parse(JSON.stringify(openApiDocument(routes))) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.values(methods).map((operation) => ({ path, operation })),
);

test('every operation has what a reader looks for', () => {
  for (const { path, operation } of operations) {
    const { operationId, summary, description, tags, security, responses } = operation;
    expect(summary, operationId).toMatch(/^\S.*[^.]$/);
    expect(description, operationId).not.toBe('');
    expect(Array.isArray(security), operationId).toBe(true);
    expect(Object.keys(TAGS), `the group of ${operationId} is described in introduction.ts`).toEqual(
      expect.arrayContaining([...tags]),
    );
    const statuses = Object.keys(responses);
    expect(
      statuses.some((status) => /^[23]/.test(status)),
      operationId,
    ).toBe(true);
    if (!NEVER_REFUSED.includes(operationId)) expect(statuses.some((status) => /^4/.test(status))).toBe(true);
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described =
      operation.parameters?.filter((parameter) => parameter.in === 'path').map(({ name }) => name) ?? [];
    expect(described.sort(), operationId).toEqual(named.sort());
  }
});

test('what is described once is used, and what is used is described', () => {
  const text = JSON.stringify(document);
  const used = new Set([...text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)].map(([, kind, name]) => `${kind}/${name}`));
  const schemes = new Set(operations.flatMap(({ operation }) => operation.security.flatMap(Object.keys)));
  const described = Object.entries(document.components).flatMap(([kind, all]) =>
    Object.keys(all).map((name) => `${kind}/${name}`),
  );
  expect([...used].filter((name) => !described.includes(name))).toEqual([]);
  const unused = described.filter((name) => !used.has(name) && !schemes.has(name.replace('securitySchemes/', '')));
  expect(unused).toEqual([]);
});
