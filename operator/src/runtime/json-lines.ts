import { KubeError } from './kube-error.ts';

/** Bytes of one line of a watch; etcd refuses objects beyond 1.5 MB. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Parses a stream of JSON lines. A line that is no JSON, is too long or is cut off at the end throws: what it said is
 * lost, and only a new list can tell.
 */
export async function* jsonLines(body: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      start = end + 1;
      if (line.trim() !== '') yield parse(line);
    }
    const rest = chunk.subarray(start);
    length += rest.length;
    if (length > MAX_LINE_BYTES) throw malformed(`a line is longer than ${MAX_LINE_BYTES} bytes`);
    if (rest.length > 0) parts.push(rest);
  }
  if (length > 0) throw malformed('the last line is cut off');
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (cause) {
    throw malformed('a line is not JSON', cause);
  }
}

function malformed(message: string, cause?: unknown): KubeError {
  return new KubeError({ status: 0, reason: 'MalformedAnswer', message: `watch: ${message}`, cause });
}
