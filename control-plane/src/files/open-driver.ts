import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { HttpProblem } from '../http/problem.ts';
import type { FileDriver } from './file-driver.ts';
import { folderDriver } from './folder-driver.ts';
import { type S3Settings, s3Driver } from './s3-driver.ts';

/**
 * Where files lie: S3 where there are settings for it, else a folder. Where the folder cannot be made, as in a pod with a
 * database elsewhere and no volume of its own, everything works but files, and whoever stores one is told why.
 */
export async function openFileDriver(s3: S3Settings | undefined, folder: string, log: Logger): Promise<FileDriver> {
  if (s3 !== undefined) return s3Driver(s3);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folderDriver(folder);
  } catch (err) {
    log.warn({ err, folder }, 'there is no storage for files: set S3_ENDPOINT and its companions, or mount a volume');
    return NO_STORAGE;
  }
}

const NO_STORAGE: FileDriver = {
  put: async () => {
    throw new HttpProblem(503, 'no_file_storage', 'this installation has no storage for files; its admin can add one');
  },
  get: async () => undefined,
  remove: async () => {},
};
