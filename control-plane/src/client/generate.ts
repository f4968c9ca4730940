import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import openapiTypescript, { astToString } from 'openapi-typescript';

/**
 * `node control-plane/src/client/generate.ts` writes control-plane/src/client/schema.ts, the types of the API as
 * openapi.json describes it; `--check` only compares.
 */
const DOCUMENT = join(import.meta.dirname, '../../openapi.json');
const FILE = join(import.meta.dirname, 'schema.ts');
const HEADER = '// Made by control-plane/src/client/generate.ts from openapi.json. Change the routes instead.\n\n';

// A field with a default may be left out of a body: without this, it would be required there.
const tree = await openapiTypescript(await readFile(DOCUMENT, 'utf8'), { defaultNonNullable: false });
const wanted = HEADER + astToString(tree);
if (!process.argv.includes('--check')) {
  await writeFile(FILE, wanted);
} else if ((await readFile(FILE, 'utf8')) !== wanted) {
  console.error('control-plane/src/client/schema.ts is out of date: run node control-plane/src/client/generate.ts');
  process.exitCode = 1;
}
