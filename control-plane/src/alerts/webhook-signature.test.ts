import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { signedHeaders, webhookSecret } from './webhook-signature.ts';

const secret = randomBytes(32);
const body = '{"type":"budget.threshold_reached","data":{"name":"Müller"}}';

test('is what the library of Standard Webhooks accepts', () => {
  const headers = signedHeaders(secret, 'delivery-1', new Date(), body);
  expect(new Webhook(webhookSecret(secret)).verify(body, headers)).toEqual(JSON.parse(body));
});

test('is refused for another body, another id, another secret, or when it is old', () => {
  const receiver = new Webhook(webhookSecret(secret));
  const headers = signedHeaders(secret, 'delivery-1', new Date(), body);
  expect(() => receiver.verify(body.replace('Müller', 'Maier'), headers)).toThrow();
  expect(() => receiver.verify(body, { ...headers, 'webhook-id': 'delivery-2' })).toThrow();
  expect(() => new Webhook(webhookSecret(randomBytes(32))).verify(body, headers)).toThrow();
  const old = signedHeaders(secret, 'delivery-1', new Date(Date.now() - 600_000), body);
  expect(() => receiver.verify(body, old)).toThrow();
});
