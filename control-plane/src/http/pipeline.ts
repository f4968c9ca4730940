import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { auditCall } from '../audit/audit-call.ts';
import type { Services } from '../services.ts';
import type { Telemetry } from '../telemetry.ts';
import { traceIdOf } from '../trace-context.ts';
import { ANONYMOUS, type Principal, type ServiceKeys } from './auth.ts';
import { readJson, readUpload } from './body.ts';
import { admitAgain, type Caller, callerOf, headerOf } from './caller.ts';
import { carryOut } from './carry-out.ts';
import { clientOf, cookiesOf, type TrustedProxies } from './client.ts';
import { cutWhenTurnedAway } from './cut-when-turned-away.ts';
import { describedAnswers, isTagged } from './described-answers.ts';
import { entityTag, isKnown } from './entity-tag.ts';
import type { RateLimits } from './limits/rate-limits.ts';
import type { ConditionalWrites } from './preconditions.ts';
import { HttpProblem, invalidInput, problem } from './problem.ts';
import type { Answer, Call, Route } from './route.ts';
import { isStream, sendStream, signalOf } from './stream.ts';

/** A request id from outside is kept when it looks like one; otherwise the request gets a fresh one. */
const REQUEST_ID = /^[A-Za-z0-9_.-]{8,64}$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;
/** Seconds after which a caller may try again when the database does not answer. */
const UNAVAILABLE_RETRY_SECONDS = 2;
const NEVER = new AbortController().signal;

export type Pipeline = {
  readonly services: Services;
  readonly keys: ServiceKeys;
  readonly telemetry: Telemetry;
  readonly proxies: TrustedProxies;
  readonly limits: RateLimits;
  readonly conditionalWrites: ConditionalWrites;
  /** The routes that read, by their path. */
  readonly reads: ReadonlyMap<string, Route>;
  /** Tests have every answer checked against the schema that OpenAPI shows. */
  readonly checkAnswers: boolean;
};

/** Everything that happens to a request of a known route, whether express found it or the hot path did. */
export async function serve(
  pipeline: Pipeline,
  route: Route,
  params: Record<string, unknown>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const start = performance.now();
  const given = request.headers['x-request-id'];
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  const log = pipeline.services.log;
  let principal = ANONYMOUS;
  const limits: Record<string, string>[] = [];
  const work = async (): Promise<Answer> => {
    const caller = await callerOf(pipeline, route, params, request, (headers) => limits.push(headers));
    principal = caller.principal;
    return perform(pipeline, route, params, request, response, { ...caller, requestId });
  };
  let answer: Answer;
  try {
    answer = await pipeline.telemetry.span(route.id, request.headers, work);
  } catch (error) {
    answer = answerOfError(error);
    if (answer.status >= 500) log.error({ err: error, requestId, route: route.id }, 'a request failed');
  }
  if (pipeline.checkAnswers && answer.status < 500) answer = onlyIfDescribed(pipeline, route, answer);
  answer = { ...answer, headers: { ...joined(limits), ...answer.headers } };
  const stream = isStream(answer.body) ? answer.body : undefined;
  if (stream === undefined) send(pipeline, route, request, response, answer, requestId);
  const status = String(answer.status);
  const milliseconds = performance.now() - start;
  pipeline.services.metrics.requestSeconds.observe({ route: route.id, status }, milliseconds / 1000);
  if (route.access !== 'public') {
    const tenant = tenantOf(principal, params);
    const took = Math.round(milliseconds * 100) / 100;
    log.info({ requestId, route: route.id, status: answer.status, ms: took, by: principal.kind, tenant }, 'request');
  }
  // Measured above is the time until it begins; it may last for hours.
  if (stream === undefined) return;
  if (route.access !== 'public') cutWhenTurnedAway(response, () => admitAgain(pipeline, route, params, request));
  await sendStream(response, answer, stream, requestId, log);
}

async function perform(
  pipeline: Pipeline,
  route: Route,
  params: Record<string, unknown>,
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller & { requestId: string },
): Promise<Answer> {
  const call: Call<unknown, unknown, unknown> = {
    params: route.params ? parse(route.params, params) : {},
    query: route.query ? parse(route.query, queryOf(request)) : {},
    body: route.body ? parse(route.body, await readJson(request)) : undefined,
    upload: route.upload ? await readUpload(request, route.upload) : undefined,
    idempotencyKey: route.idempotent ? idempotencyKeyOf(request) : '',
    ...caller,
    client: clientOf(request, pipeline.proxies),
    cookies: cookiesOf(request),
    traceId: traceIdOf(headerOf(request, 'traceparent')),
    signal: route.streams.length > 0 ? signalOf(response, pipeline.services.shutdown) : NEVER,
    lastEventId: headerOf(request, 'last-event-id'),
  };
  return carryOut(pipeline, route, params, call, request, async () => {
    const answer = await route.run(pipeline.services, call as Call<never, never, never>);
    if (pipeline.checkAnswers) checkAnswer(route, answer);
    // Of an answer that is given again nothing is audited again: it had no effect.
    if (route.access !== 'gateway' && (route.method !== 'get' || answer.audit !== undefined)) {
      const [path = ''] = (request.url ?? '').split('?', 1);
      await auditCall(pipeline.services, route, { ...call, path }, answer, tenantNamedBy(params));
    }
    return answer;
  });
}

function tenantNamedBy(params: Record<string, unknown>): string | undefined {
  return typeof params.tenant === 'string' ? params.tenant : undefined;
}

function parse(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalidInput(parsed.error);
  return parsed.data;
}

function queryOf(request: IncomingMessage): Record<string, string> {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  return mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark + 1)));
}

function idempotencyKeyOf(request: IncomingMessage): string {
  const key = request.headers['idempotency-key'];
  if (typeof key === 'string' && IDEMPOTENCY_KEY.test(key)) return key;
  const detail = 'send an Idempotency-Key header (1 to 200 printable characters), the same for every repetition';
  throw new HttpProblem(400, 'idempotency_key_required', detail, {
    errors: [{ path: 'headers.Idempotency-Key', message: 'is required' }],
  });
}

function checkAnswer(route: Route, answer: Answer): void {
  const described = route.responses[answer.status];
  if (described === undefined) throw new Error(`${route.id} answered ${answer.status}, which it does not describe`);
  if (!isStream(answer.body)) described.schema?.parse(JSON.parse(JSON.stringify(answer.body)));
}

/** A refusal by what stands before a route is in the description too, or callers could not be ready for it. */
function onlyIfDescribed(pipeline: Pipeline, route: Route, answer: Answer): Answer {
  if (answer.status in describedAnswers(route, pipeline.reads.get(route.path))) return answer;
  const detail = `${route.id} answered ${answer.status}, which openapi.json does not have`;
  pipeline.services.log.error({ route: route.id, body: answer.body }, detail);
  return { status: 500, body: problem(500, 'not_described', detail) };
}

/** Headers that came one after another, as the lists they are. */
function joined(parts: readonly Record<string, string>[]): Record<string, string> {
  const whole: Record<string, string> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    whole[name] = whole[name] === undefined ? value : `${whole[name]}, ${value}`;
  }
  return whole;
}

function answerOfError(error: unknown): Answer {
  if (error instanceof HttpProblem) {
    const { status, retryAfterSeconds } = error.problem;
    const headers: Record<string, string> = {};
    if (status === 401) headers['www-authenticate'] = 'Bearer';
    if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
    return { status, body: error.problem, headers };
  }
  if (isDatabaseAway(error)) {
    const detail = 'the database does not answer; nothing was changed, try again';
    const body = problem(503, 'database_away', detail, { retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS });
    return { status: 503, body, headers: { 'retry-after': String(UNAVAILABLE_RETRY_SECONDS) } };
  }
  return { status: 500, body: problem(500, 'internal', 'something went wrong on our side; it has been logged') };
}

/** Connection failures and shutdowns of Postgres, by node's codes and by SQLSTATE classes 08, 53 and 57P. */
function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /^(ECONN|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|08|53|57P)/.test(code)) return true;
  return /Connection terminated|timeout exceeded when trying to connect|Cannot use a pool/.test(error.message);
}

function send(
  pipeline: Pipeline,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  requestId: string,
): void {
  if (response.headersSent || response.destroyed) return;
  const raw = typeof answer.body === 'string' || Buffer.isBuffer(answer.body);
  const text = answer.body === undefined ? '' : raw ? (answer.body as string | Buffer) : JSON.stringify(answer.body);
  const headers: Record<string, string | number | string[]> = {
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
    ...answer.headers,
  };
  if (text.length > 0 && !raw) {
    headers['content-type'] = answer.status >= 400 ? 'application/problem+json' : 'application/json';
  }
  if (answer.cookies !== undefined && answer.cookies.length > 0) headers['set-cookie'] = [...answer.cookies];
  if (answer.status === 200 && isTagged(route)) {
    const tag = entityTag(text);
    headers.etag = tag;
    if (isKnown(request.headers['if-none-match'] ?? '', tag)) {
      delete headers['content-length'];
      delete headers['content-type'];
      response.writeHead(304, headers).end();
      return;
    }
  }
  // While draining, every answer asks its connection to end: the next request goes to another replica.
  if (pipeline.services.draining() || answer.status === 413) headers.connection = 'close';
  response.writeHead(answer.status, headers);
  response.end(text);
}

function tenantOf(principal: Principal, params: Record<string, unknown>): string | undefined {
  if (principal.kind === 'gateway') return principal.tenant.name;
  return principal.kind === 'anonymous' || typeof params.tenant !== 'string' ? undefined : params.tenant.slice(0, 63);
}
