import nodemailer from 'nodemailer';

/** Milliseconds for connecting, for the greeting, and for silence in between. */
const SMTP_TIMEOUT_MS = 10_000;

export type Mail = {
  /** Stays the same when a mail is repeated: mail programs show it once. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The same as HTML, for programs that prefer it. */
  readonly html?: string;
};

export type Mailer = { readonly send: (mail: Mail) => Promise<void>; readonly close: () => void };

/** Sends by the SMTP server of `url` (smtp:// or smtps://, user and password inside). */
export function openMailer(url: string, from: string): Mailer {
  const transport = nodemailer.createTransport(url, { from });
  Object.assign(transport.options, {
    connectionTimeout: SMTP_TIMEOUT_MS,
    greetingTimeout: SMTP_TIMEOUT_MS,
    socketTimeout: SMTP_TIMEOUT_MS,
  });
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? 'localhost';
  return {
    send: async ({ id, to, subject, text, html }) => {
      await transport.sendMail({
        // As an object: an address is never read as a list of addresses.
        to: { name: '', address: to },
        subject,
        text,
        ...(html === undefined ? {} : { html }),
        messageId: `<${id}@${domain}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    },
    close: () => transport.close(),
  };
}
