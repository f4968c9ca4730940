import path from 'node:path';
import { run } from '../process/run.ts';

/** A tools module beside this file. */
export type ToolsModule =
  | 'kubernetes'
  | 'helm'
  | 'traefik'
  | 'coredns'
  | 'kind'
  | 'local-path-provisioner'
  | 'gofakes3';

/**
 * Folder of the binaries of a tools module. Builds them from source when the cache has none, which takes minutes;
 * `onLine` hears how far it is.
 */
export async function toolsFolder(module: ToolsModule, onLine?: (line: string) => void): Promise<string> {
  const build = path.join(import.meta.dirname, 'tools', 'build');
  // The last line of the two streams is the answer, not progress.
  const tell = (line: string) => line.startsWith('[') && onLine?.(line);
  const { stdout } = await run(build, [module], { onLine: tell });
  return stdout.trim();
}
