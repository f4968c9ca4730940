import { createHmac } from 'node:crypto';

/** How a secret is written for its receiver, as Standard Webhooks has it. */
export function webhookSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`;
}

/**
 * The headers of a signed delivery (standardwebhooks.com): HMAC-SHA256 over id, time and body. The id stays the same
 * when a delivery is repeated, so a receiver can tell; the time is of this attempt, so an old one cannot be replayed.
 */
export function signedHeaders(secret: Buffer, id: string, at: Date, body: string): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1000).toString();
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
