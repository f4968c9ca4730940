import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';
import { ensureDebianPackages } from '../images/debian-packages.ts';
import { type LocalEnv, root } from '../platform/local-env.ts';
import { progress } from '../process/progress.ts';
import { run } from '../process/run.ts';

/** Where a distribution's package puts the browser. */
const DEBIAN_EXECUTABLE = '/usr/bin/chromium';
const EXECUTABLE = process.env.CHROMIUM ?? DEBIAN_EXECUTABLE;
/** The browser, the tool that fills its certificate store, and letters to draw with. */
const DEBIAN_PACKAGES = ['chromium', 'libnss3-tools', 'fonts-dejavu-core'];
/** Where screenshots are kept as artefacts of a test run. */
export const screenshots = path.join(root, '.local', 'screenshots');

/** Keeps the browser from asking its maker for anything: nothing but the platform's names is reachable. */
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
];

export interface RealBrowser extends AsyncDisposable {
  /** A fresh profile: own cookies, own storage. */
  context(locale?: string, more?: BrowserContextOptions): Promise<BrowserContext>;
}

/**
 * A real Chromium that trusts the platform's local CA through its certificate store, as a person's browser would; no
 * certificate error is waved through.
 */
export async function openBrowser(
  env: Pick<LocalEnv, 'BASE_DOMAIN' | 'INGRESS_ADDRESS' | 'CA_FILE'>,
): Promise<RealBrowser> {
  if (EXECUTABLE === DEBIAN_EXECUTABLE) await ensureDebianPackages(DEBIAN_PACKAGES, progress('browser'));
  const home = await mkdtemp(path.join(tmpdir(), 'cloudfreedom-browser-'));
  const store = path.join(home, '.pki', 'nssdb');
  await mkdir(store, { recursive: true });
  await mkdir(screenshots, { recursive: true });
  await run('certutil', ['-d', `sql:${store}`, '-N', '--empty-password']);
  await run('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'cloudfreedom local CA', '-i', env.CA_FILE]);
  const browser: Browser = await chromium.launch({
    executablePath: EXECUTABLE,
    env: { ...process.env, HOME: home },
    args: [
      ...QUIET,
      // root needs this; the pages are our own
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--host-resolver-rules=MAP *.${env.BASE_DOMAIN} ${env.INGRESS_ADDRESS}, MAP * ~NOTFOUND , EXCLUDE ${env.INGRESS_ADDRESS}`,
    ],
  });
  return {
    context: (locale = 'en-GB', more = {}) =>
      browser.newContext({ locale, viewport: { width: 1280, height: 800 }, ...more }),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
