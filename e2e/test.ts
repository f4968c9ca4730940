/**
 * `make test`: every stage in turn, each with its own count, and the sum as the last line.
 *
 *   node e2e/test.ts [check|unit|verify|integration|stories …]     default: all
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { CHAT_DATA_SCRIPT, hookFiles } from '../operator/src/config.ts';
import { bringPlatformUp, takePlatformDown } from './platform/platform.ts';
import { prepareMachine } from './prepare.ts';
import { progress } from './process/progress.ts';
import { CommandFailed, run } from './process/run.ts';

const root = path.resolve(import.meta.dirname, '..');
const reports = path.join(root, '.local', 'reports');
const bin = (name: string) => path.join(root, 'node_modules', '.bin', name);
const say = progress('test');

interface Count {
  passed: number;
  failed: number;
}

/** A check that is one command: it counts as one test. */
async function command(name: string, file: string, args: string[]): Promise<Count> {
  say(name);
  try {
    await run(file, args, { cwd: root, onLine: (line) => console.log(line) });
    return { passed: 1, failed: 0 };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    console.error(`FAILED: ${name}`);
    return { passed: 0, failed: 1 };
  }
}

/** One vitest project; counts come from its JSON report. A run without a report, or without a test, has failed. */
async function vitest(project: string): Promise<Count> {
  say(`vitest, project ${project}`);
  await mkdir(reports, { recursive: true });
  const report = path.join(reports, `${project}.json`);
  await rm(report, { force: true });
  const args = ['run', '--project', project, '--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`];
  const ended = await run(bin('vitest'), args, { cwd: root, onLine: (line) => console.log(line) }).then(
    () => true,
    () => false,
  );
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(await readFile(report, 'utf8'));
  // a skipped test proves nothing; a file that could not be loaded fails the run without a failed test
  const failed = numFailedTests + numPendingTests;
  const nothingRan = numPassedTests + failed === 0;
  return { passed: numPassedTests, failed: failed === 0 && (!ended || nothingRan) ? 1 : failed };
}

const node = process.execPath;
/** Parses without leaving a compiled file behind, which would make the operator's image another one. */
const PARSE = 'import ast, sys; [ast.parse(open(name).read()) for name in sys.argv[1:]]';
const checks = [
  () => command('format and lint', bin('biome'), ['ci', '--error-on-warnings', '.']),
  () => command('types', bin('tsc'), ['--noEmit']),
  () => command('types of the portal', bin('tsc'), ['--noEmit', '-p', 'portal']),
  () =>
    command('what tenants are given to run is Python', 'python3', [
      '-c',
      PARSE,
      ...Object.keys(hookFiles()).map((name) => `operator/gateway/${name}`),
      CHAT_DATA_SCRIPT,
    ]),
];
const generated = [
  () => command('generated CRDs are current', node, ['crds/src/generate.ts', '--check']),
  () => command('generated chart values are current', node, ['charts/src/generate.ts', '--check']),
  () => command('the price list is the pinned LiteLLM’s', node, ['e2e/prices/generate.ts', '--check']),
  () => command('generated OpenAPI is current', node, ['control-plane/src/openapi/generate.ts', '--check']),
  () => command('the typed client is current', node, ['control-plane/src/client/generate.ts', '--check']),
];

/** The stories want a platform; one that was up already stays up, one that is made here is taken down again. */
async function stories(): Promise<Count> {
  const keep = process.env.KEEP_UP === '1';
  try {
    await bringPlatformUp(progress('up'));
    return await vitest('stories');
  } finally {
    if (!keep) await takePlatformDown(progress('down'));
  }
}

const stages: Record<string, () => Promise<Count[]>> = {
  check: async () => [...(await inTurn(checks)), await vitest('unit')],
  unit: async () => [await vitest('unit')],
  verify: () => prepareMachine().then(() => inTurn(generated)),
  integration: () => prepareMachine().then(async () => [await vitest('integration')]),
  stories: async () => [await stories()],
};
const everything = ['check', 'verify', 'integration', 'stories'];

async function inTurn(steps: (() => Promise<Count>)[]): Promise<Count[]> {
  const counts: Count[] = [];
  for (const step of steps) counts.push(await step());
  return counts;
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : everything;
const unknown = wanted.filter((name) => !(name in stages));
if (unknown.length > 0) {
  console.error(`no stage named ${unknown.join(', ')}; there are: ${Object.keys(stages).join(', ')}`);
  process.exit(2);
}
const total: Count = { passed: 0, failed: 0 };
for (const name of wanted) {
  const counts = await (stages[name] as () => Promise<Count[]>)().catch((error: unknown) => {
    console.error(`FAILED: stage ${name}:`, error);
    return [{ passed: 0, failed: 1 }];
  });
  for (const { passed, failed } of counts) {
    total.passed += passed;
    total.failed += failed;
  }
  say(`after ${name}: ${total.passed} passed, ${total.failed} failed`);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
