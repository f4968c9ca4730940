import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { routes } from '../routes/routes.ts';
import { openApiDocument } from './document.ts';

/** `node control-plane/src/openapi/generate.ts` writes control-plane/openapi.json; `--check` only compares it. */
const FILE = join(import.meta.dirname, '../../openapi.json');

const wanted = `${JSON.stringify(openApiDocument(routes), null, 2)}\n`;
if (process.argv.includes('--check')) {
  if ((await readFile(FILE, 'utf8')) !== wanted) {
    console.error('control-plane/openapi.json is out of date: run node control-plane/src/openapi/generate.ts');
    process.exitCode = 1;
  }
} else {
  await writeFile(FILE, wanted);
}
