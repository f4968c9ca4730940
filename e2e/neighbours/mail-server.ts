/**
 * The mail server of the stories: real SMTP in, and a small HTTP window through which a test reads what arrived.
 *
 *   SMTP_PORT=2525 HTTP_PORT=8025 HOST=0.0.0.0 node e2e/neighbours/mail-server.ts
 *
 * GET /mails?to=ada@example.org lists that address's mails, the newest last; GET /healthz answers 200.
 */
import { createServer } from 'node:http';
import { type AddressObject, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** Mails kept; the oldest goes first. */
const MAX_MAILS = 1_000;
const MAX_MAIL_BYTES = 2 * 1024 * 1024;

/** A mail as it arrived. */
export type ArrivedMail = {
  readonly to: readonly string[];
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string | null;
  readonly at: string;
};

const mails: ArrivedMail[] = [];

const addresses = (field: AddressObject | AddressObject[] | undefined): string[] =>
  [field ?? []].flat().flatMap(({ value }) => value.map(({ address }) => address?.toLowerCase() ?? ''));

const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  size: MAX_MAIL_BYTES,
  logger: false,
  onData(stream, { envelope }, done) {
    simpleParser(stream).then((mail) => {
      mails.push({
        // who it was really sent to, whatever its head says
        to: envelope.rcptTo.map(({ address }) => address.toLowerCase()),
        from: addresses(mail.from)[0] ?? '',
        subject: mail.subject ?? '',
        text: mail.text ?? '',
        html: mail.html || null,
        at: new Date().toISOString(),
      });
      if (mails.length > MAX_MAILS) mails.shift();
      done();
    }, done);
  },
});
smtp.on('error', (error) => console.error('smtp:', error.message));

const window = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://mail');
  const to = url.searchParams.get('to')?.toLowerCase();
  const [status, body] =
    url.pathname === '/healthz'
      ? [200, { ok: true }]
      : url.pathname === '/mails'
        ? [200, mails.filter((mail) => to === undefined || mail.to.includes(to))]
        : [404, { error: 'there is GET /mails?to=<address>' }];
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});

const host = process.env.HOST ?? '127.0.0.1';
smtp.listen(Number(process.env.SMTP_PORT ?? 2525), host);
window.listen(Number(process.env.HTTP_PORT ?? 8025), host);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
