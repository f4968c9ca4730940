import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import type { Access } from '../http/admit.ts';
import { describedAnswers, isConditional, isTagged, takesKey } from '../http/described-answers.ts';
import { WINDOW_SECONDS } from '../http/limits/quotas.ts';
import { ROLE_PERMISSIONS } from '../http/permissions.ts';
import type { Route } from '../http/route.ts';
import { HEADERS, PARAMETERS } from './headers.ts';
import { INTRODUCTION, TAGS } from './introduction.ts';
import { SECURITY_SCHEMES, securityOf } from './security.ts';

/** Describes the routes in OpenAPI 3.1, from the very schemas that judge their requests. */
export function openApiDocument(routes: readonly Route[]): object {
  const reads = new Map(routes.filter(({ method }) => method === 'get').map((route) => [route.path, route]));
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route, reads.get(route.path)) };
  }
  const used = new Set(routes.map(({ tag }) => tag));
  const document: Parameters<typeof createDocument>[0] = {
    openapi: '3.1.0',
    info: {
      title: 'CloudFreedom API',
      version: '1.0.0',
      description: INTRODUCTION,
      license: { name: 'Proprietary' },
    },
    servers: [{ url: '/', description: 'Where this document came from' }],
    tags: [...used].sort().map((name) => ({ name, description: TAGS[name] ?? name })),
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, headers: HEADERS, parameters: PARAMETERS },
  };
  return createDocument(document, { override: withoutUnicodeClasses });
}

/** Many readers of patterns know no Unicode classes, and refuse all of the description for one. The field's limits stay. */
function withoutUnicodeClasses({ jsonSchema }: { readonly jsonSchema: { pattern?: string | undefined } }): void {
  if (jsonSchema.pattern?.includes('\\p{')) delete jsonSchema.pattern;
}

function operation(route: Route, read: Route | undefined): ZodOpenApiOperationObject {
  const parameters = parametersOf(route, read);
  return {
    operationId: route.id,
    summary: route.summary,
    description: neededText(route),
    tags: [route.tag],
    security: securityOf(route).map((name) => ({ [name]: [] })),
    ...(parameters.length > 0 ? { parameters } : {}),
    requestParams: { ...(route.params ? { path: route.params } : {}), ...(route.query ? { query: route.query } : {}) },
    ...(route.body ? { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } } : {}),
    ...(route.upload ? { requestBody: { required: true, content: binary(route.upload.types) } } : {}),
    responses: responses(route, read),
  };
}

function parametersOf(route: Route, read: Route | undefined) {
  const names = [
    ...(route.idempotent ? ['NeededIdempotencyKey'] : takesKey(route) ? ['IdempotencyKey'] : []),
    ...(isTagged(route) ? ['IfNoneMatch'] : []),
    ...(isConditional(route, read) ? ['IfMatch'] : []),
    ...(route.streams.includes('text/event-stream') ? ['LastEventId'] : []),
  ];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` as const }));
}

const NEEDED: Partial<Record<Access, string>> = {
  public: 'Open to everybody.',
  operator: 'For the operator of the cluster, and the platform’s admins.',
  admin: 'For the platform’s admins.',
  gateway: 'For the gateway of a tenant.',
  person: 'For whoever is signed in.',
  key: 'For whoever has one of a tenant’s keys.',
};

function neededText({ access, operatorToo, limit }: Route): string {
  const roles = Object.entries(ROLE_PERMISSIONS).filter(([, permissions]) => permissions.has(access as never));
  const inTenant = `Needs the permission \`${access}\` in the tenant: ${roles.map(([role]) => role).join(', ')}; keys and tokens with that scope; the platform’s admins.`;
  const needed = NEEDED[access] ?? inTenant;
  return [
    needed,
    ...(operatorToo ? ['The operator may, too.'] : []),
    ...(limit === 'expensive' ? [`Counts in the limit \`expensive\` of the caller, too (${WINDOW_SECONDS} s).`] : []),
  ].join(' ');
}

function responses(route: Route, read: Route | undefined): ZodOpenApiOperationObject['responses'] {
  return Object.fromEntries(
    Object.entries(describedAnswers(route, read)).map(([status, { description, schema }]) => {
      const type = Number(status) >= 400 ? 'application/problem+json' : 'application/json';
      const headers = headersOf(route, Number(status));
      if (status === '200' && route.streams.length > 0) {
        return [status, { description, headers, content: streams(route) }];
      }
      return [status, { description, headers, ...(schema ? { content: { [type]: { schema } } } : {}) }];
    }),
  );
}

/** What every answer may carry, and what this one does. */
function headersOf(route: Route, status: number): Record<string, { $ref: `#/components/headers/${string}` }> {
  const limited = route.limit !== 'none' && route.access !== 'gateway';
  const names = {
    ...(limited ? { RateLimit: 'RateLimit', 'RateLimit-Policy': 'RateLimitPolicy' } : {}),
    ...(isTagged(route) && [200, 304].includes(status) ? { ETag: 'ETag' } : {}),
    ...([429, 503].includes(status) ? { 'Retry-After': 'RetryAfter' } : {}),
  };
  return Object.fromEntries(
    Object.entries(names).map(([name, component]) => [name, { $ref: `#/components/headers/${component}` as const }]),
  );
}

/** Bodies that are bytes as they are: OpenAPI 3.1 gives such no type. */
function binary(types: readonly string[]): Record<string, { schema: Record<string, never> }> {
  return Object.fromEntries(types.map((type) => [type, { schema: {} }]));
}

/** A stream of JSON is one value in the end; all others are text. */
function streams(route: Route): Record<string, { schema: { type?: 'string' } }> {
  return Object.fromEntries(
    route.streams.map((type) => [type, { schema: type === 'application/json' ? {} : { type: 'string' } }]),
  );
}
