import type pg from 'pg';
import type { Logger } from 'pino';
import { Undeliverable } from '../alerts/delivery-queue.ts';
import type { Mailer } from '../alerts/mailer.ts';
import type { Vault } from '../crypto/vault.ts';
import type { Bell } from '../events/bell.ts';
import type { Metrics } from '../http/metrics.ts';
import type { MailLanguage } from './content.ts';
import { MailQueue, type TakenMail } from './mail-queue.ts';
import { type Envelope, openEnvelope } from './outbox.ts';
import { type RenderedMail, renderMail } from './render.ts';
import { TEMPLATES } from './templates/templates.ts';

/** Mails one process has under way. */
const SLOTS = 2;
/** Milliseconds after which a slot looks for work though nothing rang: repetitions become due silently. */
const POLL_MS = 5_000;
/** SMTP answers from here on are final: this address will not take it tomorrow either. */
const FIRST_PERMANENT_ANSWER = 500;

export type MailWorkerOptions = {
  readonly pool: pg.Pool;
  readonly vault: Vault;
  readonly bell: Bell;
  /** undefined: no mail server is configured. */
  readonly mailer: Mailer | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** Sends what is due, in as many processes as there are. @returns its stop, which waits for what is under way */
export function startMailWorker(options: MailWorkerOptions): () => Promise<void> {
  const { bell, log } = options;
  const queue = new MailQueue(options.pool);
  const stopping = new AbortController();
  const slot = async () => {
    const ear = bell.ear('cloudfreedom_mail', '');
    while (!stopping.signal.aborted) {
      let worked = false;
      try {
        worked = await sendNext(queue, options);
      } catch (err) {
        log.warn({ err }, 'mails cannot be read or stored; they stay due');
      }
      if (!worked) await ear.wait(POLL_MS, stopping.signal);
    }
    ear.close();
  };
  const slots = Array.from({ length: SLOTS }, slot);
  return async () => {
    stopping.abort();
    await Promise.all(slots);
  };
}

/** Takes one mail that is due and tries it. @returns whether there was one */
export async function sendNext(queue: MailQueue, options: MailWorkerOptions): Promise<boolean> {
  const { metrics, log } = options;
  const mail = await queue.take();
  if (mail === undefined) return false;
  try {
    const state = await send(mail, options);
    await queue.ended(mail, state);
    metrics.mails.inc({ outcome: state });
  } catch (error) {
    const state = await queue.failed(mail, error);
    metrics.mails.inc({ outcome: state === 'failed' ? 'failed' : 'retry' });
    const { message } = error as Error;
    if (state === 'failed') log.warn({ mail: mail.id, reason: message }, 'a mail was given up');
  }
  return true;
}

async function send(mail: TakenMail, { pool, vault, mailer }: MailWorkerOptions): Promise<'sent' | 'dropped'> {
  if (mail.expired) throw new Undeliverable('its time had passed before it could be sent');
  const envelope = openOrGiveUp(vault, mail);
  const { rows } = await pool.query<{ language: MailLanguage }>(
    `select language from person where lower(email) = lower($1) and state <> 'erased'`,
    [envelope.to],
  );
  const rendered = render(envelope, rows[0]?.language);
  if (rendered === undefined) return 'dropped';
  if (mailer === undefined) throw new Undeliverable('the platform has no mail server configured');
  try {
    await mailer.send({ id: mail.id, to: envelope.to, ...rendered });
  } catch (cause) {
    throw withoutSecrets(cause);
  }
  return 'sent';
}

/** Decides which text goes out, given the language of the person who has the address; undefined: none does. */
export function render(envelope: Envelope, personLanguage: MailLanguage | undefined): RenderedMail | undefined {
  const known = personLanguage !== undefined;
  const filled = known ? envelope.known : envelope.unknown;
  if (filled === null) return undefined;
  const byAddress = envelope.known?.template !== envelope.unknown?.template;
  const language = known && byAddress ? personLanguage : envelope.language;
  const template = TEMPLATES[filled.template];
  const content = template[language](template.data.parse(filled.data) as never);
  return renderMail(content, language);
}

function openOrGiveUp(vault: Vault, { id, sealed }: TakenMail): Envelope {
  try {
    return openEnvelope(vault, id, sealed);
  } catch (cause) {
    // Sealed under another ENCRYPTION_KEY, or by a version that knows other templates: no repetition mends that.
    throw Object.assign(new Undeliverable('it cannot be opened with this key and version'), { cause });
  }
}

/** The server's words may quote a login or an address; its code and kind of answer do not. */
function withoutSecrets(cause: unknown): Error {
  const { code, responseCode } = cause as { code?: unknown; responseCode?: unknown };
  const message = `the mail server did not take it (${[code, responseCode].filter(Boolean).join(' ')})`;
  const permanent = code === 'EENVELOPE' && Number(responseCode) >= FIRST_PERMANENT_ANSWER;
  return permanent ? new Undeliverable(message) : new Error(message, { cause });
}
