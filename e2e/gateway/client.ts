import { Agent, fetch } from 'undici';
import { type Directive, told } from '../steps/chat.ts';

/** A user message of its own for each call: nothing is answered from a cache by accident. */
let asked = 0;

/** Connections a burst may open. */
const CONNECTIONS = 512;
const agent = new Agent({ connections: CONNECTIONS, headersTimeout: 300_000, bodyTimeout: 300_000 });

/** What the fake upstream takes beyond the directives that the stories use. */
export type FakeDirective = Directive & {
  cachedTokens?: number;
  cacheWriteTokens?: number;
  audioTokens?: number;
  failures?: number;
  onlyModel?: string;
};

/** When a client goes away by itself. */
export interface Leaving {
  afterMs?: number;
  afterChunks?: number;
}

export interface AskOptions {
  key: string;
  headers?: Record<string, string>;
  leave?: Leaving;
  method?: string;
}

/** What a client saw. `left`: it went away before the end. */
export interface Seen {
  status: number;
  headers: Headers;
  text: string;
  left: boolean;
  /** Milliseconds from the call to the first byte of the body. */
  firstByteMs: number;
}

/** The error in OpenAI's shape. */
export interface OpenAiError {
  message: string;
  type: string;
  param: string | null;
  code: string;
}

/** A list of messages with a directive. */
export function question(directive: FakeDirective, text = `question ${asked++}`) {
  return [{ role: 'user', content: told(text, directive) }];
}

/** One POST of JSON (or text as it is), read to its end unless `leave` says otherwise. */
export async function ask(url: string, path: string, body: unknown, options: AskOptions): Promise<Seen> {
  const leaving = new AbortController();
  const { afterMs, afterChunks } = options.leave ?? {};
  const timer = afterMs === undefined ? undefined : setTimeout(() => leaving.abort(), afterMs);
  const began = performance.now();
  const seen: Seen = { status: 0, headers: new Headers(), text: '', left: false, firstByteMs: Number.NaN };
  try {
    const method = options.method ?? 'POST';
    const answer = await fetch(`${url}${path}`, {
      method,
      dispatcher: agent,
      signal: leaving.signal,
      headers: { authorization: `Bearer ${options.key}`, 'content-type': 'application/json', ...options.headers },
      ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    seen.status = answer.status;
    seen.headers = answer.headers as unknown as Headers;
    let chunks = 0;
    for await (const chunk of answer.body ?? []) {
      if (chunks++ === 0) seen.firstByteMs = performance.now() - began;
      seen.text += Buffer.from(chunk as Uint8Array).toString();
      if (afterChunks !== undefined && chunks >= afterChunks) leaving.abort();
    }
  } catch (error) {
    if (!leaving.signal.aborted) seen.text += `\n[connection broke: ${error}]`;
    seen.left = leaving.signal.aborted;
  } finally {
    clearTimeout(timer);
  }
  return seen;
}

/** The error that was answered; throws when there is none. */
export function errorOf(seen: Seen): OpenAiError {
  const { error } = JSON.parse(seen.text) as { error?: OpenAiError };
  if (error === undefined) throw new Error(`no error in: ${seen.text.slice(0, 300)}`);
  return error;
}

/** The text of a chat answer, streamed or not. */
export function textOf(seen: Seen): string {
  if (!seen.text.startsWith('data:')) {
    return JSON.parse(seen.text).choices[0].message.content;
  }
  return eventsOf(seen)
    .map((event) => (event.choices as { delta: { content?: string } }[] | undefined)?.[0]?.delta.content ?? '')
    .join('');
}

/** The JSON of every server-sent event. */
export function eventsOf(seen: Seen): Record<string, unknown>[] {
  return seen.text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)));
}
