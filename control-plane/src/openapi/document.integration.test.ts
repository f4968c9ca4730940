import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { dumpSchema } from '../database/schema-dump.ts';
import { startTestDatabases } from '../database/test-database.ts';
import { routes } from '../routes/routes.ts';
import { openApiDocument } from './document.ts';

const FOLDER = join(import.meta.dirname, '../..');

test('openapi.json is what the routes say', async () => {
  const committed = JSON.parse(await readFile(join(FOLDER, 'openapi.json'), 'utf8'));
  expect(committed, 'run node control-plane/src/openapi/generate.ts').toEqual(
    JSON.parse(JSON.stringify(openApiDocument(routes))),
  );
});

test('every operation has an id of its own, and describes its refusals', () => {
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length);
  for (const route of routes.filter(({ access }) => access !== 'public')) {
    expect(Object.keys(route.responses).length, route.id).toBeGreaterThan(0);
  }
});

test('db/schema.sql is what the migrations make', async () => {
  const databases = await startTestDatabases();
  try {
    const pool = openPool({ url: await databases.clone(), onError: () => {} });
    const made = await dumpSchema(pool);
    await pool.end();
    expect(made, 'run node control-plane/src/database/generate-schema.ts').toBe(
      await readFile(join(FOLDER, 'db/schema.sql'), 'utf8'),
    );
  } finally {
    await databases.stop();
  }
});
