import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

/** Folder outside the checkout for what is slow to make; made when missing. */
export async function cacheFolder(...names: string[]): Promise<string> {
  const base = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  const folder = path.join(process.env.CLOUDFREEDOM_CACHE ?? path.join(base, 'cloudfreedom'), ...names);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Hexadecimal digits of a content key: enough that two contents never meet by chance. */
const KEY_DIGITS = 12;

/** What decides a cached result: texts as they are, and files or whole folders by path, mode and content. */
export interface KeyInputs {
  texts: readonly string[];
  /** Absolute paths; a folder counts with everything below it except what `ignored` names. */
  paths: readonly string[];
  /** Folder or file names that never count. */
  ignored?: (name: string) => boolean;
}

/** The content key of `inputs`: 12 hexadecimal digits, the same on every machine. */
export async function contentKey({ texts, paths, ignored = () => false }: KeyInputs): Promise<string> {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`text ${text.length}\n${text}\n`);
  for (const start of paths) await addPath(hash, start, path.basename(start), ignored);
  return hash.digest('hex').slice(0, KEY_DIGITS);
}

type Hash = ReturnType<typeof createHash>;

async function addPath(hash: Hash, file: string, name: string, ignored: (name: string) => boolean): Promise<void> {
  const stat = await lstat(file);
  if (stat.isDirectory()) {
    for (const child of (await readdir(file)).sort()) {
      if (!ignored(child)) await addPath(hash, path.join(file, child), `${name}/${child}`, ignored);
    }
  } else if (stat.isSymbolicLink()) {
    hash.update(`link ${name} ${await readlink(file)}\n`);
  } else {
    const content = await readFile(file);
    hash.update(`file ${name} ${(stat.mode & 0o111) === 0 ? '-' : 'x'} ${content.length}\n`).update(content);
  }
}
