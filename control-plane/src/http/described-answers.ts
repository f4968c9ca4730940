import { z } from 'zod';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';

type Described = Route['responses'];

const refusal = (description: string) => ({ description, schema: Problem });

const NOT_CHANGED = { description: 'What If-None-Match names is what there still is' };
const MALFORMED = refusal('A header or the body is malformed; nothing was read of it');
const NOT_KNOWN = refusal('No valid session, key or token');
const NOT_ALLOWED = refusal('Known, but not allowed this; or a browser was sent by another site');
const NO_TENANT = refusal('There is no such tenant, or the caller is not in it');
const CONFLICT = refusal('A first request with this Idempotency-Key is still under way');
const CHANGED = refusal('It is no longer what If-Match names, or exists although If-None-Match says it must not');
const TOO_LARGE = refusal('The body is too large');
const NOT_JSON = refusal('The body is not JSON, or a file of a type that is not taken');
const INVALID = refusal(
  'The input is not valid (`errors` says where), or the Idempotency-Key was used for something else',
);
const HEAD_TOO_LARGE = { description: 'Address and headers together are larger than 32 KiB; it has no body' };
const TOO_MANY = refusal('Too many calls of this caller; Retry-After says when to go on');
const NOT_AVAILABLE = refusal('The database does not answer, or we are shutting down; nothing was changed');

/** Whether the route's answers have tags: one JSON value that is read. */
export function isTagged(route: Route): boolean {
  return route.method === 'get' && route.streams.length === 0 && route.responses[200]?.schema !== undefined;
}

/** Whether a write to the address of `read` may be conditional. */
export function isConditional(route: Route, read: Route | undefined): boolean {
  return ['put', 'patch', 'delete'].includes(route.method) && read !== undefined && isTagged(read);
}

/** Whether an Idempotency-Key may come with it. Routes that must have one see to it themselves, in their transaction. */
export function takesKey(route: Route): boolean {
  return route.method === 'post' && !['public', 'gateway'].includes(route.access) && !route.idempotent;
}

/**
 * Every answer a route can give: its own, and those of what stands before it. The one place that knows; the document
 * shows it, and in tests an answer that is not in it is a failure.
 * @param read the route that reads the same address
 */
export function describedAnswers(route: Route, read: Route | undefined): Described {
  const closed = route.access !== 'public';
  const takesBody = route.body !== undefined || route.upload !== undefined;
  const takesInput = takesBody || route.query !== undefined || route.params !== undefined;
  const keyed = takesKey(route);
  const before: Described = {
    ...(isTagged(route) ? { 304: NOT_CHANGED } : {}),
    ...(takesBody || keyed || route.idempotent || route.params !== undefined ? { 400: MALFORMED } : {}),
    ...(closed ? { 401: NOT_KNOWN } : {}),
    ...(closed || route.method !== 'get' ? { 403: NOT_ALLOWED } : {}),
    ...(route.path.includes('{tenant}') ? { 404: NO_TENANT } : {}),
    ...(keyed ? { 409: CONFLICT } : {}),
    ...(isConditional(route, read) ? { 412: CHANGED } : {}),
    ...(takesBody ? { 413: TOO_LARGE, 415: NOT_JSON } : {}),
    ...(takesInput ? { 431: HEAD_TOO_LARGE } : {}),
    ...(takesInput || keyed ? { 422: INVALID } : {}),
    ...(route.limit === 'none' || route.access === 'gateway' ? {} : { 429: TOO_MANY }),
    ...(route.limit === 'none' ? {} : { 503: NOT_AVAILABLE }),
  };
  return { ...before, ...Object.fromEntries(Object.entries(route.responses).map(withRefusals(before))) };
}

/** A route that has a refusal of its own shape is refused in ours too, by what stands before it. */
function withRefusals(before: Described) {
  return ([status, own]: [string, Described[number]]): [string, Described[number]] => {
    const isOurs = before[Number(status)]?.schema === undefined || own.schema === undefined || own.schema === Problem;
    return [status, isOurs ? own : { ...own, schema: z.union([own.schema, Problem]) }];
  };
}
