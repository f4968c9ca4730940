import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileDriver } from './file-driver.ts';

/** Only this process's own account reads tenants' files. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Files in a folder. A file has its name only once all of its bytes are on the disk, and the name is there for good when
 * `put` returns: neither a crash nor a loss of power leaves half a file.
 */
export function folderDriver(root: string): FileDriver {
  return {
    put: async (address, content) => {
      const target = join(root, address);
      const folder = dirname(target);
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      const draft = join(folder, `.${randomUUID()}`);
      try {
        const file = await open(draft, 'wx', FILE_MODE);
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, target);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      await syncFolder(folder);
    },
    get: async (address) => {
      try {
        return await readFile(join(root, address));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    remove: (address) => rm(join(root, address), { force: true }),
  };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
