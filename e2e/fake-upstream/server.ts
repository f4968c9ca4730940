/**
 * The only stand-in of the tests: a model provider that speaks OpenAI's, Anthropic's and Gemini's formats.
 *
 *   PORT=8088 HOST=127.0.0.1 node e2e/fake-upstream/server.ts
 *
 * A directive in the last user message (`directive.ts`) says what to answer. GET /_log shows what was asked, DELETE
 * /_log forgets it, GET /healthz answers 200.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { messages } from './anthropic.ts';
import { BadRequest, type Dialect } from './dialect.ts';
import { type Answer, type Asked, answerTo, type Directive, directiveOf } from './directive.ts';
import { generateContent, isGeminiPath } from './gemini.ts';
import { object } from './json.ts';
import { type LoggedRequest, RequestLog } from './log.ts';
import { chatCompletions, failure, responses } from './openai.ts';
import { embeddings, images, modelList } from './openai-media.ts';

/** Milliseconds an idle connection is kept: longer than any client's pool keeps it, so that none meets a reset. */
const KEEP_ALIVE_TIMEOUT_MS = 600_000;
/** Messages whose failures are counted, for `failures` in a directive. */
const COUNTED_MESSAGES = 10_000;

const DIALECTS: Record<string, Dialect> = {
  '/chat/completions': chatCompletions,
  '/embeddings': embeddings,
  '/images/generations': images,
  '/responses': responses,
  '/messages': messages,
};

/** A fake upstream that listens. */
export interface FakeUpstream {
  /** Without a path, such as `http://127.0.0.1:41234`. */
  url: string;
  log: RequestLog;
  close(): Promise<void>;
}

/** Starts a fake upstream; port 0 takes a free one. */
export async function startFakeUpstream({ port = 0, host = '127.0.0.1' } = {}): Promise<FakeUpstream> {
  const log = new RequestLog();
  const failures = new Map<string, number>();
  const server = createServer((request, response) => {
    handle(request, response, log, failures).catch((error: unknown) => {
      console.error('fake upstream:', error);
      response.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://${host}:${bound}`, log, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  log: RequestLog,
  failures: Map<string, number>,
): Promise<void> {
  const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://upstream');
  const method = request.method ?? 'GET';
  if (path === '/healthz') return json(response, 200, { status: 'ok' });
  if (path === '/_log' && method === 'GET') return json(response, 200, log.entries);
  if (path === '/_log' && method === 'DELETE') {
    log.clear();
    return json(response, 200, []);
  }
  const entry = log.add(method, path, request.headers);
  response.on('close', () => {
    if (entry.outcome !== 'open') return;
    entry.outcome = 'aborted';
    entry.aborted = true;
  });
  const bare = path.replace(/^\/v1/, '');
  if (method === 'GET' && bare === '/models') return end(response, entry, 200, modelList());
  const dialect = isGeminiPath(path) ? generateContent : DIALECTS[bare];
  if (!dialect || method !== 'POST') return end(response, entry, 404, failure(404, `Unknown path: ${method} ${path}`));
  const key = request.headers.authorization ?? request.headers['x-api-key'] ?? request.headers['x-goog-api-key'];
  if (key === undefined && !query.has('key')) {
    return end(response, entry, 401, dialect.failure(401, 'You did not provide an API key.'));
  }

  let asked: Asked;
  let directive: Directive;
  try {
    const body = object(JSON.parse((await buffer(request)).toString('utf8')));
    asked = dialect.asked(body, path, query);
    directive = directiveOf(asked.lastUserText);
  } catch (error) {
    if (!(error instanceof BadRequest || error instanceof SyntaxError)) throw error;
    return end(response, entry, 400, dialect.failure(400, error.message));
  }
  Object.assign(entry, { model: asked.model, max_tokens: asked.maxTokens ?? null, stream: asked.stream });
  entry.message = asked.lastUserText;
  if (directive.delayMs) await wait(directive.delayMs);
  if (response.destroyed) return;

  const meant = directive.onlyModel === undefined || directive.onlyModel === asked.model;
  if (meant && directive.status !== undefined && stillFails(directive, asked.lastUserText, failures)) {
    const message = `The fake upstream was told to fail with ${directive.status}.`;
    return end(response, entry, directive.status, dialect.failure(directive.status, message));
  }
  const id = entry.number.toString(36).padStart(12, '0');
  const answer = answerTo(asked, directive, id, Math.floor(Date.now() / 1000));
  const cutAfter = meant ? (directive.cutAfterChunks ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  entry.usage = { promptTokens: answer.promptTokens, completionTokens: answer.completionTokens };
  if (asked.stream) return await stream(response, entry, dialect, asked, answer, directive.chunkDelayMs ?? 0, cutAfter);
  if (cutAfter !== Number.POSITIVE_INFINITY) return await cut(response, entry);
  end(response, entry, 200, dialect.whole(asked, answer));
}

async function stream(
  response: ServerResponse,
  entry: LoggedRequest,
  dialect: Dialect,
  asked: Asked,
  answer: Answer,
  chunkDelayMs: number,
  cutAfterChunks: number,
): Promise<void> {
  entry.status = 200;
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  response.flushHeaders();
  for (const event of dialect.events(asked, answer)) {
    if (event.isChunk) {
      if (entry.chunksSent >= cutAfterChunks) return await cut(response, entry);
      if (chunkDelayMs > 0) await wait(chunkDelayMs);
    }
    if (response.destroyed) return;
    if (!response.write(event.wire)) await drained(response);
    if (event.isChunk) entry.chunksSent += 1;
  }
  // as many chunks as the answer has: the break comes before its end
  if (entry.chunksSent <= cutAfterChunks && cutAfterChunks !== Number.POSITIVE_INFINITY)
    return await cut(response, entry);
  entry.outcome = 'answered';
  response.end();
}

/** Resolves when more may be written, or when nobody reads any longer. */
async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
}

async function cut(response: ServerResponse, entry: LoggedRequest): Promise<void> {
  entry.outcome = 'cut';
  // Node holds what was written back until the next tick; the caller is to see it before the break
  await new Promise(setImmediate);
  response.destroy();
}

/** Whether this call is among those that a directive wants to fail. */
function stillFails(directive: Directive, message: string, failures: Map<string, number>): boolean {
  if (directive.failures === undefined) return true;
  const before = failures.get(message) ?? 0;
  if (failures.size >= COUNTED_MESSAGES && before === 0) failures.clear();
  failures.set(message, before + 1);
  return before < directive.failures;
}

function end(response: ServerResponse, entry: LoggedRequest, status: number, body: unknown): void {
  entry.status = status;
  entry.outcome = status < 400 ? 'answered' : 'failed';
  json(response, status, body);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

if (import.meta.main) {
  const upstream = await startFakeUpstream({
    port: Number(process.env.PORT ?? 8088),
    host: process.env.HOST ?? '127.0.0.1',
  });
  console.log(`fake upstream listens at ${upstream.url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => upstream.close());
}
