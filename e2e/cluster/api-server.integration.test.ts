import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { until } from '../process/until.ts';
import { startApiServer } from './api-server.ts';

const server = await startApiServer({ controllerManager: true });
afterAll(() => server.stop());

function kubectl(kubeconfigPath: string, ...arguments_: string[]): { status: number | null; output: string } {
  const result = spawnSync(join(server.binFolder, 'kubectl'), arguments_, {
    env: { ...process.env, KUBECONFIG: kubeconfigPath },
    encoding: 'utf8',
  });
  return { status: result.status, output: result.stdout + result.stderr };
}

test('an admin writes and reads an object', () => {
  expect(kubectl(server.kubeconfigPath, 'create', 'configmap', 'greeting', '--from-literal=text=hello').status).toBe(0);
  const read = kubectl(server.kubeconfigPath, 'get', 'configmap', 'greeting', '-o', 'jsonpath={.data.text}');
  expect(read).toEqual({ status: 0, output: 'hello' });
});

test('a user whom no role allows anything is refused', () => {
  const read = kubectl(server.kubeconfigFor('nobody-special'), 'get', 'configmaps');
  expect(read.status).toBe(1);
  expect(read.output).toContain('User "nobody-special" cannot list resource "configmaps"');
});

test('the controllers run: a deleted namespace goes away', () => {
  expect(kubectl(server.kubeconfigPath, 'create', 'namespace', 'passing').status).toBe(0);
  expect(kubectl(server.kubeconfigPath, 'delete', 'namespace', 'passing', '--wait', '--timeout=60s').status).toBe(0);
});

test('two servers run side by side, and a stopped one leaves no process and no file', async () => {
  const second = await startApiServer();
  expect(second.url).not.toBe(server.url);
  const folder = dirname(second.kubeconfigPath);
  expect(processesOf(folder)).toHaveLength(2);
  await second.stop();
  await second.stop();
  expect(processesOf(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});

test('a test that is killed takes its servers along', async () => {
  const program = `
    import { startApiServer } from ${JSON.stringify(import.meta.resolve('./api-server.ts'))};
    const server = await startApiServer();
    console.log(server.kubeconfigPath);
    process.kill(process.pid, 'SIGKILL');`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(run.signal).toBe('SIGKILL');
  const folder = dirname(run.stdout.trim());
  await until('its processes to be gone', () => (processesOf(folder).length === 0 ? true : undefined), {
    timeoutMs: 10_000,
  });
  execFileSync('rm', ['-r', folder]);
});

/** Command lines of the processes that were given a path in `folder`. */
function processesOf(folder: string): string[] {
  const list = execFileSync('ps', ['-eo', 'args', '--no-headers', '-ww'], { encoding: 'utf8' });
  return list.split('\n').filter((line) => line.includes(`${folder}/`));
}
