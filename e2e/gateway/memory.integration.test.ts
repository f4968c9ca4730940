import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, question } from './client.ts';
import { type Rig, startRig } from './rig.ts';

/** Without the hook's workaround LiteLLM 1.106.2 crashes after 26 to 61 of them. */
const REQUESTS = 400;
const TEST_TIMEOUT_MS = 240_000;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ gateways: 0 });
  // freed memory is overwritten at once, so that whoever still reads it crashes now and not some day
  await rig.addGateway({ environment: { PYTHONMALLOC: 'debug', PYTHONFAULTHANDLER: '1' } });
});
afterAll(() => rig?.close());

it(
  'LiteLLM does not crash on a context that a garbage collection changed',
  async () => {
    const [gateway] = rig.gateways;
    const url = gateway?.url ?? '';
    for (let count = 0; count < REQUESTS; count++) {
      const body = { model: 'gpt-4o-mini', stream: count % 2 === 0, messages: question({ completionTokens: 5 }) };
      const seen = await ask(url, '/v1/chat/completions', body, { key: rig.apiKey });
      expect(seen.status, gateway?.process.output().slice(-2_000)).toBe(200);
    }
    expect(gateway?.process.exited()).toBe(false);
    await rig.accounts.endings(0, { atLeast: REQUESTS });
  },
  TEST_TIMEOUT_MS,
);
