import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer } from 'node:tls';
import { startTestDatabases } from '@cloudfreedom/control-plane/database/test-database.ts';
import type { ControlPlaneOptions } from '@cloudfreedom/control-plane/start.ts';
import { type Api, startApi, type TestPerson } from '@cloudfreedom/control-plane/testing/api.ts';
import { type MailCatcher, startMailCatcher } from '@cloudfreedom/control-plane/testing/receivers.ts';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { openBrowser, type RealBrowser } from '../browser/chromium.ts';
import { issueCertificate, makeAuthority } from '../cluster/certificates.ts';
import { buildPortal } from './build.ts';

const BASE_DOMAIN = 'portal-tests.example';
const HOST = `portal.${BASE_DOMAIN}`;
const LOOPBACK = '127.0.0.1';
/** Milliseconds a page may take to show what is waited for, on a busy machine. */
const WAIT_MS = 15_000;

/** The built portal, served by a real control plane over HTTPS, and a real browser in front of it. */
export interface PortalRig extends AsyncDisposable {
  /** Without a slash at the end. */
  url: string;
  api: Api;
  mails: MailCatcher;
  /** A fresh browser profile; what its pages ask of other origins is noted in `strangers`. */
  visit(options?: VisitOptions): Promise<Visit>;
}

export interface VisitOptions extends BrowserContextOptions {
  locale?: string;
  /** Signed in from the start. */
  as?: TestPerson;
}

export interface Visit extends AsyncDisposable {
  context: BrowserContext;
  page: Page;
  /** Addresses outside the portal that a page asked for. */
  strangers: string[];
  /** What the browser complained about, violations of the content security policy among it. */
  complaints: string[];
}

/** Starts it all. */
export async function startPortalRig(options: Partial<ControlPlaneOptions> = {}): Promise<PortalRig> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = await mkdtemp(path.join(tmpdir(), 'cloudfreedom-portal-'));
    stack.defer(() => rm(folder, { recursive: true }));
    const authority = makeAuthority(folder, 'authority', 'CloudFreedom test authority');
    const front = await startTlsFront(folder, authority, stack);
    const url = `https://${HOST}:${front.port}`;
    const databases = await startTestDatabases();
    stack.defer(() => databases.stop());
    const mails = await startMailCatcher();
    stack.defer(() => mails.close());
    const api = await startApi({
      databaseUrl: await databases.clone(),
      portalFolder: await buildPortal(),
      portalUrl: url,
      smtpUrl: mails.url,
      ...options,
    });
    stack.defer(() => api.stop());
    front.to(api.controlPlane.port);
    const browser = stack.use(
      await openBrowser({ BASE_DOMAIN, INGRESS_ADDRESS: LOOPBACK, CA_FILE: authority.certificateFile }),
    );
    const all = stack.move();
    return {
      url,
      api,
      mails,
      visit: (visitOptions) => visit(browser, url, visitOptions),
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What the ingress does in a cluster: HTTPS outside, HTTP inside. */
async function startTlsFront(folder: string, authority: ReturnType<typeof makeAuthority>, stack: AsyncDisposableStack) {
  const pair = issueCertificate(folder, 'portal', { commonName: HOST, names: [HOST] }, authority);
  let target = 0;
  const key = readFileSync(pair.keyFile);
  const cert = readFileSync(pair.certificateFile);
  const open = new Set<{ destroy: () => void }>();
  const server = createServer({ key, cert }, (socket) => {
    const inside = connect(target, LOOPBACK);
    for (const [end, other] of [
      [socket, inside],
      [inside, socket],
    ] as const) {
      open.add(end);
      // either end may go at any time: the browser closes what it no longer needs
      end.on('error', () => end.destroy());
      end.on('close', () => {
        open.delete(end);
        other.destroy();
      });
    }
    socket.pipe(inside).pipe(socket);
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  stack.defer(() => {
    for (const end of open) end.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    to: (inside: number) => {
      target = inside;
    },
  };
}

async function visit(browser: RealBrowser, url: string, { as, ...options }: VisitOptions = {}): Promise<Visit> {
  const context = await browser.context(options.locale ?? 'en-GB', options);
  if (as !== undefined) {
    const [name = '', value = ''] = as.cookie.split('=');
    await context.addCookies([{ name, value, url, secure: true, httpOnly: true, sameSite: 'Lax' }]);
  }
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const strangers: string[] = [];
  const complaints: string[] = [];
  context.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith('blob:')) strangers.push(request.url());
  });
  page.on('console', (message) => {
    // a refused call is an answer that the page shows
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { context, page, strangers, complaints, [Symbol.asyncDispose]: () => context.close() };
}
