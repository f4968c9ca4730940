import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './problem.ts';

/** Bytes a body may have. The largest legitimate one is a tenant with its 500 model names. */
export const MAX_BODY_BYTES = 128 * 1024;

/** Reads and parses a JSON body. @throws HttpProblem 400, 413 or 415 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const contentType = request.headers['content-type'] ?? '';
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    throw new HttpProblem(415, 'not_json', 'send the body with content-type: application/json');
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    throw new HttpProblem(400, 'malformed_json', 'the body is not valid JSON');
  }
}

function tooLarge(): HttpProblem {
  return new HttpProblem(413, 'body_too_large', `a body may have at most ${MAX_BODY_BYTES} bytes`);
}
