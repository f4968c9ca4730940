import type { Answer, Asked } from './directive.ts';
import type { Json } from './json.ts';

/** One event of a stream, ready to be written. */
export interface StreamEvent {
  /** The bytes on the wire, its empty line included. */
  wire: string;
  /** Carries a piece of the answer; only such events are delayed and counted by a directive. */
  isChunk: boolean;
}

/** How one provider's endpoint speaks. */
export interface Dialect {
  /** Reads the request; throws `BadRequest` for what the provider would refuse. */
  asked(body: Json, path: string, query: URLSearchParams): Asked;
  /** The whole answer, as JSON. */
  whole(asked: Asked, answer: Answer): unknown;
  /** The streamed answer. */
  events(asked: Asked, answer: Answer): Iterable<StreamEvent>;
  /** The JSON body of a failure. */
  failure(status: number, message: string): unknown;
}

/** A request that the provider would refuse with 400. */
export class BadRequest extends Error {}

/** A server-sent event with a JSON body; `name` is written as its type where the provider does so. */
export function serverSent(data: unknown, options: { name?: string; isChunk?: boolean } = {}): StreamEvent {
  const type = options.name === undefined ? '' : `event: ${options.name}\n`;
  return { wire: `${type}data: ${JSON.stringify(data)}\n\n`, isChunk: options.isChunk ?? false };
}
