/**
 * Makes control-plane/db/prices/litellm.json from the price file that the pinned LiteLLM ships.
 *
 *   node e2e/prices/generate.ts [--check]
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { reducePriceFile } from '@cloudfreedom/control-plane/pricing/price-list.ts';
import { pythonEnvironment } from '../images/python-env.ts';
import { progress } from '../process/progress.ts';
import { run } from '../process/run.ts';

const FILE = path.resolve(import.meta.dirname, '../../control-plane/db/prices/litellm.json');
const WHERE = `import importlib.metadata as m; d = m.distribution('litellm'); print(d.version); print(d.locate_file('litellm/model_prices_and_context_window_backup.json'))`;

const bin = await pythonEnvironment('litellm', progress('prices'));
const { stdout } = await run(path.join(bin, 'python'), ['-c', WHERE]);
const [version = '', source = ''] = stdout.trim().split('\n');
const list = reducePriceFile(version, JSON.parse(await readFile(source, 'utf8')));
const wanted = `${JSON.stringify(list, null, 2)}\n`;
if (!process.argv.includes('--check')) {
  await writeFile(FILE, wanted);
} else if ((await readFile(FILE, 'utf8')) !== wanted) {
  console.error('control-plane/db/prices/litellm.json is out of date: run node e2e/prices/generate.ts');
  process.exitCode = 1;
}
