import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export type MailCatcher = {
  readonly url: string;
  readonly mails: ParsedMail[];
  /** Answers the next mails with a temporary error. */
  refuse: number;
  readonly close: () => Promise<void>;
};

/** A real SMTP server that keeps what it gets. With a password, it wants the user `mailer` to sign in. */
export async function startMailCatcher(port = 0, password?: string): Promise<MailCatcher> {
  const server = new SMTPServer({
    authOptional: password === undefined,
    disabledCommands: password === undefined ? ['STARTTLS', 'AUTH'] : ['STARTTLS'],
    allowInsecureAuth: true,
    logger: false,
    onAuth(given, _session, done) {
      const right = given.username === 'mailer' && given.password === password;
      done(right ? null : new Error('wrong password'), right ? { user: 'mailer' } : undefined);
    },
    onData(stream, _session, done) {
      simpleParser(stream).then((mail) => {
        if (catcher.refuse > 0) {
          catcher.refuse -= 1;
          done(Object.assign(new Error('try later'), { responseCode: 451 }));
          return;
        }
        catcher.mails.push(mail);
        done();
      }, done);
    },
  });
  server.on('error', () => {});
  const listening = server.listen(port, '127.0.0.1');
  await once(listening, 'listening');
  const catcher: MailCatcher = {
    url: `smtp://${password === undefined ? '' : `mailer:${password}@`}127.0.0.1:${(listening.address() as AddressInfo).port}`,
    mails: [],
    refuse: 0,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
  return catcher;
}

export type Hook = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string };

export type HookReceiver = {
  readonly url: string;
  /** host:port */
  readonly host: string;
  readonly hooks: Hook[];
  /** Statuses of the next answers; 200 when there is none left. */
  readonly answers: number[];
  readonly close: () => Promise<void>;
};

/** A real HTTP server that keeps what is posted to it. */
export async function startHookReceiver(port = 0): Promise<HookReceiver> {
  const hooks: Hook[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    hooks.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
    const status = answers.shift() ?? 200;
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('x'.repeat(100_000));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    hooks,
    answers,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
