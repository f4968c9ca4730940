import type { z } from 'zod';
import type { Services } from '../services.ts';
import type { Access } from './admit.ts';
import type { Principal } from './auth.ts';
import type { Upload, UploadRule } from './body.ts';
import type { ClientInfo } from './client.ts';
import type { Role } from './permissions.ts';

/** What an operation is given: everything parsed, the caller known. */
export type Call<Params, Query, Body> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The body of a route that takes files. */
  readonly upload: Upload | undefined;
  readonly idempotencyKey: string;
  readonly principal: Principal;
  /** What the person who calls is in the tenant that the address names; undefined for keys and platform admins. */
  readonly role: Role | undefined;
  readonly client: ClientInfo;
  readonly cookies: ReadonlyMap<string, string>;
  readonly requestId: string;
  readonly traceId: string | undefined;
  /** Of a route that streams: aborted when the caller has gone or the process shuts down. */
  readonly signal: AbortSignal;
  /** What the caller says it has seen of a stream already: the Last-Event-ID header. */
  readonly lastEventId: string | undefined;
};

/**
 * What it answers. A problem is an answer too; only bugs are thrown. A body that is an iterable of texts is streamed as
 * fast as the caller reads it, and needs a content-type among the headers.
 */
export type Answer = {
  readonly status: number;
  readonly body?: unknown | Buffer | AsyncIterable<string>;
  readonly headers?: Record<string, string>;
  /** Set-Cookie headers. */
  readonly cookies?: readonly string[];
  /** What the audit is told beyond who called what; `unchanged`: nothing, for the call changed nothing. */
  readonly audit?: AuditNote | 'unchanged';
};

/** What a change was, for those who look back: plain JSON, never a secret. On a refusal: the refusal is told, too. */
export type AuditNote = {
  /** The tenant it belongs to. Absent: the one the path names, else the platform. */
  readonly tenant?: bigint;
  /** Absent: the id of the route. */
  readonly action?: string;
  /** What was changed, such as "member/<id>". Absent: the path. Of "person/<id>", all that is told is that person's. */
  readonly target?: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Whoever calls has just been erased: not even this entry names them or says from where they came. */
  readonly unnamed?: true;
};

/** One operation: validation, handler and OpenAPI description come from this one value. */
export type Route = {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** In OpenAPI's notation, e.g. /v1/tenants/{tenant}. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly tag: string;
  readonly access: Access;
  /** Of a route for people or one that needs a permission: the operator key opens it too. */
  readonly operatorToo: boolean;
  readonly params: z.ZodObject | undefined;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  /** Takes a file instead of JSON. */
  readonly upload: UploadRule | undefined;
  /** Needs an Idempotency-Key header. */
  readonly idempotent: boolean;
  /** What of a caller's limits it counts in: `expensive` has one of its own, `none` is for what must always answer. */
  readonly limit: 'usual' | 'expensive' | 'none';
  /** Content types of its answers that are streams; empty for most routes. */
  readonly streams: readonly string[];
  /** By status. A schema for JSON; undefined for an empty or non-JSON body. */
  readonly responses: Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>;
  readonly run: (services: Services, call: Call<never, never, never>) => Promise<Answer>;
};

type Definition<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> = Omit<
  Route,
  'params' | 'query' | 'body' | 'upload' | 'idempotent' | 'limit' | 'streams' | 'operatorToo' | 'run'
> & {
  readonly operatorToo?: boolean;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly upload?: UploadRule;
  readonly idempotent?: boolean;
  readonly limit?: Route['limit'];
  readonly streams?: readonly string[];
  readonly run: (services: Services, call: Call<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<Answer>;
};

/** Defines an operation with the types of its handler taken from its schemas. */
export function route<
  Params extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: Definition<Params, Query, Body>): Route {
  return {
    ...definition,
    operatorToo: definition.operatorToo ?? false,
    params: definition.params,
    query: definition.query,
    body: definition.body,
    upload: definition.upload,
    idempotent: definition.idempotent ?? false,
    limit: definition.limit ?? 'usual',
    streams: definition.streams ?? [],
    // The pipeline parses with these very schemas before it calls, so the handler's types hold.
    run: definition.run as Route['run'],
  };
}
