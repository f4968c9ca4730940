import { defineConfig } from 'vitest/config';

/** Milliseconds a test may take where it starts real servers. */
const INTEGRATION_TIMEOUT_MS = 300_000;
/** Milliseconds that `expect.poll` looks for what must come soon, on a busy machine. */
const POLL_TIMEOUT_MS = 20_000;
/** Test files at a time where they start real servers: much of their time is waiting for those. */
const INTEGRATION_WORKERS = 2;
/** Milliseconds a story may take on a busy two-core machine. */
const STORY_TIMEOUT_MS = 900_000;

const where = ['charts', 'crds', 'operator', 'control-plane', 'portal', 'e2e'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: where.map((folder) => `${folder}/**/*.test.ts`),
          exclude: ['**/node_modules/**', '**/*.integration.test.ts', '**/*.e2e.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: where.map((folder) => `${folder}/**/*.integration.test.ts`),
          testTimeout: INTEGRATION_TIMEOUT_MS,
          hookTimeout: INTEGRATION_TIMEOUT_MS,
          maxWorkers: INTEGRATION_WORKERS,
          expect: { poll: { timeout: POLL_TIMEOUT_MS } },
        },
      },
      {
        test: {
          name: 'stories',
          include: ['e2e/stories/*.e2e.test.ts'],
          testTimeout: STORY_TIMEOUT_MS,
          hookTimeout: STORY_TIMEOUT_MS,
          fileParallelism: false,
          expect: { poll: { timeout: POLL_TIMEOUT_MS } },
        },
      },
    ],
  },
});
