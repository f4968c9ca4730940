import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { authoriseBody, startApi } from './testing/api.ts';

test('spans of the control plane join the trace that the gateway began, and reach the collector', async () => {
  const exported: string[] = [];
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      exported.push(`${request.url} ${Buffer.concat(chunks).toString('utf8')}`);
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;
  const api = await startApi({ otlpEndpoint: `http://127.0.0.1:${port}` });
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  try {
    const secrets = await api.tenant('demo');
    const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
    const body = authoriseBody(secrets, randomUUID());
    await api.call('POST', '/v1/gateway/authorise', secrets.credential, body, { traceparent });
  } finally {
    // The stop flushes what was not exported yet.
    await api.stop();
    collector.close();
    collector.closeAllConnections();
  }
  const text = exported.join('\n');
  expect(text).toContain('/v1/traces');
  expect(text).toContain(trace);
  expect(text).toContain('"name":"authorise"');
  expect(text).not.toContain('cfgw-');
});
