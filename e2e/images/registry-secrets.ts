import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../process/run.ts';

/** Where a RUN line finds a secret of this name. */
const inside = (name: string) => `/run/secrets/${name}`;

/**
 * How this machine reaches its package registries, as files for the build's secrets: a RUN line sees them, the image
 * does not keep them. Remove the folder when the build has ended.
 */
export interface RegistrySecrets extends AsyncDisposable {
  /** File by the name that `--mount=type=secret,id=…` uses. */
  files: Record<string, string>;
}

/**
 * Collects what apt, pip, npm and the environment say on this machine. Where the builder has a registry it also has the
 * public package registries, so what this machine cannot tell is left out there; elsewhere it is an error.
 */
export async function registrySecrets({ hasRegistry }: { hasRegistry: boolean }): Promise<RegistrySecrets> {
  const collectors: (() => Promise<Record<string, string>>)[] = [
    async () => ({ 'apt.list': await debianSources(), 'apt.conf': await aptConfiguration() }),
    async () => ({ 'pip.conf': await pipConfiguration() }),
    async () => ({ npmrc: await npmConfiguration() }),
  ];
  // the others name this file
  const ca = await certificates().catch((error: unknown) => {
    if (!hasRegistry) throw error;
  });
  const collected = await Promise.all(
    ca === undefined ? [] : collectors.map((collect) => (hasRegistry ? collect().catch(() => ({})) : collect())),
  );
  if (ca !== undefined) collected.push({ ca });
  const folder = await mkdtemp(path.join(tmpdir(), 'registries-'));
  const files: Record<string, string> = {};
  for (const [name, content] of Object.entries(Object.assign({}, ...collected) as Record<string, string>)) {
    files[name] = path.join(folder, name);
    await writeFile(files[name], content, { mode: 0o600 });
  }
  return { files, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

async function certificates(): Promise<string> {
  const candidates = [process.env.SSL_CERT_FILE, process.env.NODE_EXTRA_CA_CERTS, '/etc/ssl/certs/ca-certificates.crt'];
  const found = candidates.find((file) => file !== undefined && existsSync(file));
  if (found === undefined) throw new Error('no CA certificates on this machine: apt-get install ca-certificates');
  return await readFile(found, 'utf8');
}

/** apt's settings for reaching servers, and the list of sources to use instead of the image's own. */
async function aptConfiguration(): Promise<string> {
  const { stdout } = await run('apt-config', ['dump']);
  const reaching = stdout.split('\n').filter((line) => /^Acquire::(https?::|Check-|Retries|ForceIPv)/.test(line));
  return [
    ...reaching,
    `Acquire::https::CAInfo "${inside('ca')}";`,
    'Acquire::Languages "none";',
    `Dir::Etc::SourceList "${inside('apt.list')}";`,
    'Dir::Etc::SourceParts "/dev/null";',
    '',
  ].join('\n');
}

/** Debian bookworm as this machine reaches it, one line per suite. */
async function debianSources(): Promise<string> {
  const sources = await bookwormSources();
  const lines = sources.map(({ address, suite }) => `deb ${address} ${suite} main`);
  if (lines.length === 0) throw new Error('apt on this machine knows no source of Debian bookworm; add one');
  return `${lines.join('\n')}\n`;
}

/** Where this machine's apt gets Debian bookworm and its updates from. */
export async function bookwormSources(): Promise<{ address: string; suite: string }[]> {
  const format = '$(CREATED_BY)|$(ORIGIN)|$(COMPONENT)|$(REPO_URI)|$(RELEASE)';
  const { stdout } = await run('apt-get', ['indextargets', '--format', format]);
  const lines = new Set(stdout.split('\n').filter((line) => line.startsWith('Packages|Debian|main|')));
  return [...lines]
    .map((line) => line.split('|').slice(3))
    .map(([address = '', suite = '']) => ({ address, suite }))
    .filter(({ suite }) => suite === 'bookworm' || suite.startsWith('bookworm-'));
}

/** pip's settings without files of this machine, which the build cannot see. */
async function pipConfiguration(): Promise<string> {
  const { stdout } = await run('/usr/bin/python3', ['-m', 'pip', 'config', 'list']);
  const kept = ['index-url', 'extra-index-url', 'trusted-host', 'proxy', 'timeout', 'default-timeout', 'retries'];
  const settings = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    const [, name, value] = /^(?:global|install|:env:)\.([a-z-]+)='(.*)'$/.exec(line) ?? [];
    if (name && value && kept.includes(name)) settings.set(name, value.replaceAll('\\n', '\n  '));
  }
  settings.set('cert', inside('ca'));
  return `[global]\n${[...settings].map(([name, value]) => `${name} = ${value}\n`).join('')}`;
}

/** npm's settings files one after the other, then those of the environment. */
async function npmConfiguration(): Promise<string> {
  const lines: string[] = [];
  for (const which of ['globalconfig', 'userconfig']) {
    const file = (await run('npm', ['config', 'get', which])).stdout.trim();
    if (existsSync(file)) lines.push(...(await readFile(file, 'utf8')).split('\n'));
  }
  for (const [name, value] of Object.entries(process.env)) {
    const setting = /^npm_config_(registry|proxy|https_proxy|noproxy|\/\/.*)$/i.exec(name)?.[1];
    if (setting && value) lines.push(`${setting.replaceAll('_', '-')}=${value}`);
  }
  const kept = lines.filter((line) => !/^\s*(cafile|nodedir|prefix|cache|globalconfig|userconfig)\s*=/.test(line));
  return `${[...kept, `cafile=${inside('ca')}`].join('\n')}\n`;
}
