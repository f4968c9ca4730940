import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { portalHeaders } from './portal-headers.ts';

/** What `portal/vite.config.ts` writes where a nonce belongs. */
const NONCE_PLACE = '__CSP_NONCE__';
/** Random bytes of a nonce. */
const NONCE_BYTES = 16;
/** Bytes of one file: more is no part of a portal, and all are kept in memory. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** The names of these hold a hash of their content, so they never change. */
const HASHED = /^\/assets\//;
/** Addresses of programs: what is unknown there is answered in their manner. */
const NOT_OURS = /^\/(v1|oidc|docs|assets)(\/|$)/;
const NOT_BUILT =
  'The portal is not installed here. Build it with `npm run build -w portal` and set PORTAL_FOLDER to portal/dist.\n';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

type PortalFile = {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly br: Buffer | undefined;
  readonly gzip: Buffer | undefined;
};

/** Answers a request for a page or file of the portal; calls `next` for anything else. */
export type PortalPages = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * Serves the built portal in `folder`: its files by name, and its index for every other page a browser navigates to.
 * The files are read once, at start: what is not in that list cannot be asked for.
 */
export function servePortal(folder: string | undefined): PortalPages {
  const files = folder === undefined ? new Map<string, PortalFile>() : readFiles(folder);
  const index = files.get('/index.html');
  files.delete('/index.html');
  if (folder !== undefined && index === undefined) {
    throw new Error(`PORTAL_FOLDER ${folder} holds no index.html: build the portal with npm run build -w portal`);
  }
  return (request, response, next) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const file = files.get(path);
    if (request.method !== 'GET' && request.method !== 'HEAD') next();
    else if (file !== undefined) sendFile(request, response, file, HASHED.test(path));
    else if (NOT_OURS.test(path) || !isNavigation(request)) next();
    else if (index === undefined) sendText(request, response, 404, NOT_BUILT);
    else sendIndex(request, response, index);
  };
}

/** Programs say that they want JSON or anything; only a browser that opens a page asks for HTML. */
function isNavigation(request: IncomingMessage): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: PortalFile, forGood: boolean): void {
  const headers: Record<string, string | number> = {
    ...portalHeaders(undefined),
    'content-type': file.type,
    'cache-control': forGood ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: file.etag,
    vary: 'accept-encoding',
  };
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const encoding =
    /\bbr\b/.test(accepted) && file.br ? 'br' : /\bgzip\b/.test(accepted) && file.gzip ? 'gzip' : undefined;
  const body = (encoding === undefined ? undefined : file[encoding]) ?? file.plain;
  if (encoding !== undefined) headers['content-encoding'] = encoding;
  headers['content-length'] = body.length;
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
}

function sendIndex(request: IncomingMessage, response: ServerResponse, index: PortalFile): void {
  const nonce = randomBytes(NONCE_BYTES).toString('base64url');
  const body = index.plain.toString('utf8').replaceAll(NONCE_PLACE, nonce);
  const headers = {
    ...portalHeaders(nonce),
    'content-type': index.type,
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(body),
  };
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
}

function sendText(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  const headers = {
    ...portalHeaders(undefined),
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
  };
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(request.method === 'HEAD' ? undefined : text);
}

function readFiles(folder: string): Map<string, PortalFile> {
  const files = new Map<string, PortalFile>();
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, entry);
    const type = TYPES[extname(entry)];
    const stat = statSync(file);
    if (type === undefined || !stat.isFile()) continue;
    if (stat.size > MAX_FILE_BYTES) throw new Error(`${file} is larger than a file of the portal may be`);
    const plain = readFileSync(file);
    const copy = (ending: string) => (existsSync(file + ending) ? readFileSync(file + ending) : undefined);
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
    files.set(`/${entry.split(sep).join('/')}`, { type, etag, plain, br: copy('.br'), gzip: copy('.gz') });
  }
  return files;
}
