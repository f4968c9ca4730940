import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import type { Access } from '../http/admit.ts';
import { Problem } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import { SESSION_COOKIE } from '../identity/session/session-cookie.ts';

const INTRODUCTION =
  'Amounts are integer nano-EUR as decimal strings; fields that hold them end in NanoEur. Errors are problem+json (RFC 9457) with a stable `code`.';

const SECURITY: Partial<Record<Access, readonly string[]>> = {
  public: [],
  operator: ['operatorKey', 'adminKey'],
  admin: ['adminKey', 'session'],
  gateway: ['gatewayCredential'],
  person: ['session'],
  key: ['tenantKey'],
};
/** Of the routes that need a permission in a tenant. */
const SECURITY_IN_TENANT = ['session', 'tenantKey', 'adminKey'] as const;

const KEYS = {
  adminKey: 'The platform’s admin key',
  operatorKey: 'The operator’s key',
  tenantKey: 'A personal or service key of the tenant that has the scope, or a token that one was exchanged for',
  gatewayCredential: 'A tenant’s gateway credential; it acts for that tenant only',
};

/** Describes the routes in OpenAPI 3.1, from the very schemas that judge their requests. */
export function openApiDocument(routes: readonly Route[]): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'CloudFreedom control plane', version: '1.0.0', description: INTRODUCTION },
    paths,
    components: {
      securitySchemes: {
        ...Object.fromEntries(
          Object.entries(KEYS).map(([name, description]) => [name, { type: 'http', scheme: 'bearer', description }]),
        ),
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: SESSION_COOKIE,
          description: 'A person, signed in at the portal',
        },
      },
    },
  });
}

function securityOf({ access, operatorToo }: Route): readonly string[] {
  return SECURITY[access] ?? [...SECURITY_IN_TENANT, ...(operatorToo ? ['operatorKey'] : [])];
}

function operation(route: Route): ZodOpenApiOperationObject {
  const headers = route.idempotent ? [idempotencyKey] : [];
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [route.tag],
    security: securityOf(route).map((name) => ({ [name]: [] })),
    ...(headers.length > 0 ? { parameters: headers } : {}),
    requestParams: { ...(route.params ? { path: route.params } : {}), ...(route.query ? { query: route.query } : {}) },
    ...(route.body ? { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } } : {}),
    ...(route.upload ? { requestBody: { required: true, content: binary(route.upload.types) } } : {}),
    responses: responses(route),
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: true,
  description: 'The same for every repetition of one wish',
  schema: { type: 'string' as const, maxLength: 200 },
};

function responses(route: Route): ZodOpenApiOperationObject['responses'] {
  const described: Route['responses'] = {
    ...(route.access === 'public' ? {} : COMMON),
    ...invalid(route),
    ...route.responses,
  };
  return Object.fromEntries(
    Object.entries(described).map(([status, { description, schema }]) => {
      const type = Number(status) >= 400 ? 'application/problem+json' : 'application/json';
      if (Number(status) === 200 && route.streams.length > 0) return [status, { description, content: streams(route) }];
      return [status, { description, ...(schema ? { content: { [type]: { schema } } } : {}) }];
    }),
  );
}

/** Bodies that are bytes as they are: OpenAPI 3.1 gives such no type. */
function binary(types: readonly string[]): Record<string, { schema: Record<string, never> }> {
  return Object.fromEntries(types.map((type) => [type, { schema: {} }]));
}

function streams(route: Route): Record<string, { schema: { type: 'string' } }> {
  return Object.fromEntries(route.streams.map((type) => [type, { schema: { type: 'string' } }]));
}

const COMMON: Route['responses'] = {
  401: { description: 'No valid key', schema: Problem },
  403: { description: 'The key is for another part of the API', schema: Problem },
  503: { description: 'The database does not answer; nothing was changed', schema: Problem },
};

function invalid(route: Route): Route['responses'] {
  const takesInput =
    route.upload !== undefined || route.body !== undefined || route.query !== undefined || route.params !== undefined;
  return takesInput ? { 422: { description: 'The input is not valid; `errors` says where', schema: Problem } } : {};
}
