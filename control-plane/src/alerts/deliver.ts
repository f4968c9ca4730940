import type { Vault } from '../crypto/vault.ts';
import { alertText } from './alert-text.ts';
import { type Delivery, Undeliverable } from './delivery-queue.ts';
import type { Deliver } from './delivery-worker.ts';
import type { Mailer } from './mailer.ts';
import { AddressRefused, type OutboundOptions, postOutbound } from './outbound-request.ts';
import { openWebhookSecret } from './webhook-secret.ts';
import { signedHeaders } from './webhook-signature.ts';

/** What a receiver answers that wants no more of it. */
const GONE = 410;

export type DeliverOptions = {
  /** undefined: no mail server is configured. */
  readonly mailer: Mailer | undefined;
  readonly vault: Vault;
  readonly topUpUrl: string;
  readonly trustedHosts: readonly string[];
  readonly resolve?: OutboundOptions['resolve'];
};

/** Delivers by mail or webhook. What is thrown is shown to the tenant. */
export function deliverAlerts(options: DeliverOptions): Deliver {
  return async (delivery, signal) => {
    if (delivery.channel === 'mail') await mail(options, delivery);
    else await webhook(options, delivery, signal);
  };
}

async function mail({ mailer, topUpUrl }: DeliverOptions, delivery: Delivery): Promise<void> {
  if (mailer === undefined) throw new Undeliverable('the platform has no mail server configured');
  const { language, displayName } = delivery.registration;
  const { subject, text } = alertText({
    language,
    displayName,
    scope: delivery.scope,
    subjectName: delivery.subjectName,
    period: delivery.period,
    thresholdPercent: delivery.thresholdPercent,
    spentNanoEur: delivery.spent,
    budgetNanoEur: delivery.budget,
    topUpUrl,
  });
  try {
    await mailer.send({ id: delivery.id, to: delivery.recipient, subject, text });
  } catch (cause) {
    // The server's words may quote a login; its code and kind of answer do not.
    const { code, responseCode } = cause as { code?: unknown; responseCode?: unknown };
    throw new Error(`the mail server did not take it (${[code, responseCode].filter(Boolean).join(' ')})`, { cause });
  }
}

async function webhook(options: DeliverOptions, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { url, secret } = delivery;
  if (url === null || secret === null) throw new Undeliverable('the webhook was removed');
  const body = JSON.stringify({
    type: 'budget.threshold_reached',
    timestamp: delivery.at.toISOString(),
    data: {
      tenant: delivery.tenant,
      alertId: delivery.alertId,
      scope: delivery.scope,
      subjectId: delivery.subjectId,
      period: delivery.period,
      thresholdPercent: delivery.thresholdPercent,
      spentNanoEur: delivery.spent.toString(),
      budgetNanoEur: delivery.budget.toString(),
    },
  });
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'CloudFreedom-Webhook/1',
    ...signedHeaders(openWebhookSecret(options.vault, delivery.tenant, secret), delivery.id, new Date(), body),
  };
  const { trustedHosts, resolve } = options;
  const status = await postOutbound(url, headers, body, {
    trustedHosts,
    signal,
    ...(resolve === undefined ? {} : { resolve }),
  }).catch((cause: unknown) => {
    // Names and addresses of the network stay inside; what the customer can mend is said.
    if (cause instanceof AddressRefused) throw new Error(`the address is refused: ${cause.message}`, { cause });
    const code = (cause as { code?: unknown }).code ?? (cause as Error).name;
    throw new Error(`the receiver could not be reached (${String(code)})`, { cause });
  });
  if (status === GONE) throw new Undeliverable('the receiver answered 410: it wants no more');
  if (status < 200 || status > 299) throw new Error(`the receiver answered ${status}`);
}
