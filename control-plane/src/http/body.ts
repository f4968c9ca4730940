import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './problem.ts';

/** Bytes a body may have. The largest legitimate one is a tenant with its 500 model names. */
export const MAX_BODY_BYTES = 128 * 1024;

/** What a route takes that is no JSON. */
export type UploadRule = { readonly types: readonly string[]; readonly maxBytes: number };

/** A body as it came, whole. */
export type Upload = { readonly type: string; readonly content: Buffer };

/** Reads and parses a JSON body. @throws HttpProblem 400, 413 or 415 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const contentType = request.headers['content-type'] ?? '';
  const content = await readWhole(request, MAX_BODY_BYTES);
  if (content.length === 0) return undefined;
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    throw new HttpProblem(415, 'not_json', 'send the body with content-type: application/json');
  }
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    throw new HttpProblem(400, 'malformed_json', 'the body is not valid JSON');
  }
}

/** Reads a body of one of the types that a route takes. @throws HttpProblem 413, 415 or 422 */
export async function readUpload(request: IncomingMessage, { types, maxBytes }: UploadRule): Promise<Upload> {
  const [type = ''] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  if (!types.includes(type.trim())) {
    throw new HttpProblem(415, 'type_not_taken', `send one of ${types.join(', ')}, and say which by content-type`);
  }
  const content = await readWhole(request, maxBytes);
  if (content.length === 0) throw new HttpProblem(422, 'invalid_input', 'the body is empty');
  return { type: type.trim(), content };
}

/** Reads a body to its end, or to the byte that is one too many, whatever its head says of its length. */
async function readWhole(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): HttpProblem {
  return new HttpProblem(413, 'body_too_large', `the body may have at most ${maxBytes} bytes`);
}
