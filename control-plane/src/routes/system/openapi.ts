import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { route } from '../../http/route.ts';

/** The committed description, which a test compares with the routes. */
const FILE = join(import.meta.dirname, '../../../openapi.json');

export const openapi = route({
  method: 'get',
  path: '/openapi.json',
  id: 'openapi',
  summary: 'This description',
  tag: 'System',
  access: 'public',
  responses: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) } },
  run: async () => ({ status: 200, body: JSON.parse(await readFile(FILE, 'utf8')) }),
});
