import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const BUILD = fileURLToPath(new URL('./tools/build', import.meta.url));

/** A tools module beside this file. */
export type ToolsModule = 'kubernetes' | 'helm' | 'traefik' | 'coredns' | 'local-path-provisioner';

/**
 * Folder of the binaries of a tools module. Builds them from source when the cache has none, which takes minutes and
 * says so on standard error.
 */
export async function toolsFolder(module: ToolsModule): Promise<string> {
  const child = spawn(BUILD, [module], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, code] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`building the tools module ${module} failed; its output above says why`);
  return output.trim();
}
