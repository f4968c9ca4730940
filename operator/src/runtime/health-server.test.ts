import { Counter, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { startHealthServer } from './health-server.ts';

it('tells whether it lives, whether it is ready and what it counts', async () => {
  const registry = new Registry();
  new Counter({ name: 'things_total', help: 'Things', registers: [registry] }).inc(3);
  let problems: string[] = [];
  const options = { registry, live: () => [], ready: () => problems, host: '127.0.0.1', port: 0 };
  const server = await startHealthServer(options);
  const get = async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return [answer.status, await answer.text()];
  };
  expect(await get('/healthz')).toEqual([200, 'ok\n']);
  expect(await get('/readyz')).toEqual([200, 'ok\n']);
  problems = ['the store of pods has not synced'];
  expect(await get('/readyz')).toEqual([503, 'the store of pods has not synced\n']);
  expect((await get('/metrics'))[1]).toContain('things_total 3');
  expect((await get('/elsewhere'))[0]).toBe(404);
  expect((await get('/healthz', 'POST'))[0]).toBe(405);
  await expect(startHealthServer({ ...options, port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await server.close();
});
