import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { jsonLines, MAX_LINE_BYTES } from './json-lines.ts';

async function read(...chunks: (string | Buffer)[]): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of jsonLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))) lines.push(line);
  return lines;
}

describe('JSON lines', () => {
  it('are found however the bytes are cut, also inside a character', async () => {
    const bytes = Buffer.from('{"a":"ä€"}\n\n{"b":2}\n');
    for (let cut = 1; cut < bytes.length; cut++)
      expect(await read(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual([{ a: 'ä€' }, { b: 2 }]);
  });

  it('that are no JSON end the stream with an error', async () => {
    await expect(read('{"a":1}\n{"b":\n')).rejects.toMatchObject({ reason: 'MalformedAnswer' });
  });

  it('that are cut off at the end are an error', async () => {
    await expect(read('{"a":1}\n{"b"')).rejects.toMatchObject({ reason: 'MalformedAnswer', message: /cut off/ });
  });

  it('have a longest length', async () => {
    const chunk = Buffer.alloc(MAX_LINE_BYTES / 2, 'x');
    await expect(read(chunk, chunk, chunk)).rejects.toMatchObject({ message: /longer than/ });
  });
});
