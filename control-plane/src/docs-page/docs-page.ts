import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Logger } from 'pino';
import type { Mount } from '../http/server.ts';

/** Where the reference is, for people to read. */
export const DOCS_PREFIX = '/docs';

/** Scalar's reference in one file. It comes from us: the page asks nobody else for anything. */
const BUNDLE = new URL('./browser/standalone.js', import.meta.resolve('@scalar/api-reference'));
/** Its types in our own words are what `start.js` is made of: see the package's configuration. */
const CONFIGURATION = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
  persistAuth: false,
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>CloudFreedom API</title>
</head>
<body>
<noscript>The reference needs JavaScript. <a href="/openapi.json">openapi.json</a> has the same content.</noscript>
<div id="reference"></div>
<script src="${DOCS_PREFIX}/reference.js"></script>
<script src="${DOCS_PREFIX}/start.js"></script>
</body>
</html>
`;
const START = `Scalar.createApiReference('#reference', ${JSON.stringify(CONFIGURATION)});\n`;

/**
 * What this page may do and no other: styles that its script writes, and calls to this origin alone. Whatever the bundle
 * might want to ask elsewhere, the browser refuses.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

type File = { readonly type: string; readonly plain: Buffer; readonly zipped: Buffer; readonly tag: string };

/** Serves the reference. Files are read at the first call and kept: they change with a release only. */
export function docsPage(log: Logger): Mount {
  const files = new Map<string, () => Promise<File>>([
    ['', once(async () => fileOf('text/html; charset=utf-8', Buffer.from(PAGE)))],
    ['/start.js', once(async () => fileOf('text/javascript; charset=utf-8', Buffer.from(START)))],
    ['/reference.js', once(async () => fileOf('text/javascript; charset=utf-8', await readFile(BUNDLE)))],
  ]);
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const read = files.get(path.slice(DOCS_PREFIX.length).replace(/^\/$/, ''));
    if (read === undefined) return end(response, 404);
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, { allow: 'GET, HEAD' });
    send(request, response, await read());
  };
  return {
    prefix: DOCS_PREFIX,
    handle: (request, response) => {
      answer(request, response).catch((err: unknown) => {
        log.error({ err }, 'the reference could not be served');
        end(response, 500);
      });
    },
  };
}

function send(request: IncomingMessage, response: ServerResponse, file: File): void {
  const headers: Record<string, string> = {
    'content-security-policy': POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'cache-control': 'public, no-cache',
    vary: 'accept-encoding',
    etag: file.tag,
  };
  if (request.headers['if-none-match'] === file.tag) {
    end(response, 304, headers);
    return;
  }
  const zip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = zip ? file.zipped : file.plain;
  if (zip) headers['content-encoding'] = 'gzip';
  response.writeHead(200, { ...headers, 'content-type': file.type, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  if (!response.headersSent) response.writeHead(status, headers);
  response.end();
}

async function fileOf(type: string, plain: Buffer): Promise<File> {
  // Weak: the zipped bytes have the same tag.
  const tag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 27)}"`;
  return { type, plain, zipped: await promisify(gzip)(plain), tag };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
