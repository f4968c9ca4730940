import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const COMPRESSIBLE = /\.(js|css|svg|json|txt)$/;
/** Bytes below which a compressed copy saves no packet. */
const LEAST_BYTES = 1024;

const brotliOf = promisify(brotliCompress);
const gzipOf = promisify(gzip);

/** Puts a brotli and a gzip copy beside every text of the build, so that the server never compresses anything itself. */
export function compressed(): Plugin {
  let folder = '';
  return {
    name: 'compressed-copies',
    apply: 'build',
    configResolved(config) {
      folder = path.resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      const entries = await readdir(folder, { recursive: true });
      await Promise.all(
        entries.filter((entry) => COMPRESSIBLE.test(entry)).map((entry) => copies(path.join(folder, entry))),
      );
    },
  };
}

async function copies(file: string): Promise<void> {
  const content = await readFile(file);
  if (content.length < LEAST_BYTES) return;
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  await writeFile(`${file}.br`, await brotliOf(content, { params }));
  await writeFile(`${file}.gz`, await gzipOf(content, { level: constants.Z_BEST_COMPRESSION }));
}
