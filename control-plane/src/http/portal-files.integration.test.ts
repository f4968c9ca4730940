import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { servePortal } from './portal-files.ts';

const SCRIPT = 'console.log("portal");';
const INDEX =
  '<meta property="csp-nonce" nonce="__CSP_NONCE__"><script nonce="__CSP_NONCE__" src="/assets/a-1.js"></script>';

let folder: string;
let server: Server;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portal-'));
  await mkdir(path.join(folder, 'assets'));
  await writeFile(path.join(folder, 'index.html'), INDEX);
  await writeFile(path.join(folder, 'assets', 'a-1.js'), SCRIPT);
  await writeFile(path.join(folder, 'assets', 'a-1.js.br'), brotliCompressSync(SCRIPT));
  await writeFile(path.join(folder, 'theme.js'), '1');
  server = await serve(folder);
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer };

async function serve(from: string | undefined): Promise<Server> {
  const pages = servePortal(from);
  const started = createServer((request, response) =>
    pages(request, response, () => response.writeHead(404, { 'content-type': 'application/problem+json' }).end('{}')),
  );
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return started;
}

/** Not fetch: it would decompress, and clean the path before it is sent. */
function ask(url: string, headers: Record<string, string> = {}, method = 'GET', at = server): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = at.address() as AddressInfo;
    const asked = request({ port, host: '127.0.0.1', path: url, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.on('error', reject).end();
  });
}

const navigation = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

describe('a page', () => {
  test.each(['/', '/register', '/tenants/acme/keys', '/confirm?x=1'])(
    '%s is the index for a browser that navigates',
    async (url) => {
      const { status, headers } = await ask(url, navigation);
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['cache-control']).toBe('no-store');
    },
  );

  test('carries a nonce that its policy names and no other answer has', async () => {
    const [one, other] = [await ask('/', navigation), await ask('/', navigation)];
    const [, nonce] = /nonce="([\w-]{22})"/.exec(one.body.toString()) ?? [];
    expect(one.headers['content-security-policy']).toContain(`style-src 'self' 'nonce-${nonce}'`);
    expect(one.body.toString()).not.toContain('__CSP_NONCE__');
    expect(other.body.toString()).not.toContain(nonce);
  });

  test('may load from its own origin only, be framed by nobody, and tells nobody where it was', async () => {
    const { headers } = await ask('/', navigation);
    expect(headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()'),
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  test.each([
    ['a program', '/register', { accept: '*/*' }, 'GET'],
    ['a form', '/register', navigation, 'POST'],
    ['an unknown API address', '/v1/nothing', navigation, 'GET'],
    ['an unknown address of the sign-in', '/oidc/nothing', navigation, 'GET'],
    ['a file of an older build', '/assets/a-0.js', navigation, 'GET'],
  ])('is not what %s gets', async (_, url, headers, method) => {
    const { status, headers: answered } = await ask(url, headers, method);
    expect(status).toBe(404);
    expect(answered['content-type']).toBe('application/problem+json');
  });
});

describe('a file', () => {
  test('with a hash in its name is kept for good, compressed for those who can', async () => {
    const { status, headers, body } = await ask('/assets/a-1.js', { 'accept-encoding': 'gzip, br' });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-encoding': 'br',
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'accept-encoding',
    });
    expect(brotliDecompressSync(body).toString()).toBe(SCRIPT);
    expect((await ask('/assets/a-1.js')).body.toString()).toBe(SCRIPT);
  });

  test('without one is asked for again, and not sent again when it is the same', async () => {
    const { headers } = await ask('/theme.js');
    expect(headers['cache-control']).toBe('no-cache');
    const again = await ask('/theme.js', { 'if-none-match': String(headers.etag) });
    expect(again.status).toBe(304);
    expect(again.body).toHaveLength(0);
  });

  test('is described to HEAD without being sent', async () => {
    const { status, headers, body } = await ask('/assets/a-1.js', {}, 'HEAD');
    expect(status).toBe(200);
    expect(headers['content-length']).toBe(String(SCRIPT.length));
    expect(body).toHaveLength(0);
  });

  test.each(['/../package.json', '/assets/../../secret', '/%2e%2e/secret', '/index.html.br'])(
    'outside the build is never served: %s',
    async (url) => {
      expect((await ask(url)).status).toBe(404);
    },
  );
});

test('without a build, a browser is told how to make one', async () => {
  const bare = await serve(undefined);
  const { status, body } = await ask('/', navigation, 'GET', bare);
  bare.close();
  expect(status).toBe(404);
  expect(body.toString()).toContain('npm run build -w portal');
});

test('a folder that holds no build stops the start and says so', () => {
  expect(() => servePortal(path.join(folder, 'assets'))).toThrow('holds no index.html');
});
