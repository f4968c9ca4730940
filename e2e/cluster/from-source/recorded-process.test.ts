import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { exclusively, recordedRun, startRecorded, stopRecorded } from './recorded-process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'recorded-'));
const log = path.join(folder, 'log');
let runs = 0;
const freshRecords = () => path.join(folder, `records-${runs++}`);
afterAll(() => rmSync(folder, { recursive: true }));

function pidIn(records: string, name: string): number {
  return JSON.parse(readFileSync(path.join(records, name), 'utf8')).pid;
}

test('a recorded process runs until it is stopped, and its output is kept', async () => {
  const records = freshRecords();
  startRecorded(records, 'sleeper', ['sh', '-c', 'echo hello; exec sleep 60'], log);
  await expect.poll(() => readFileSync(log, 'utf8')).toBe('hello\n');
  expect(recordedRun(records)).toBe(true);
  const pid = pidIn(records, 'sleeper');
  await stopRecorded(records);
  expect(recordedRun(records)).toBe(false);
  // killed is killed, but its number is free only once Node has read its exit code
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
});

test('records of which one process has died do not count as running', async () => {
  const records = freshRecords();
  startRecorded(records, 'lasting', ['sleep', '60'], log);
  startRecorded(records, 'dying', ['sleep', '60'], log);
  process.kill(pidIn(records, 'dying'), 'SIGKILL');
  await expect.poll(() => recordedRun(records)).toBe(false);
  await stopRecorded(records);
});

test('a process that got the number of a recorded one is left alone', async () => {
  const records = freshRecords();
  startRecorded(records, 'mine', ['sleep', '60'], log);
  const record = path.join(records, 'mine');
  const stranger = readFileSync(record, 'utf8');
  const { pid, startTicks } = JSON.parse(stranger);
  writeFileSync(record, JSON.stringify({ pid, startTicks: startTicks - 1 }));
  expect(recordedRun(records)).toBe(false);
  await stopRecorded(records);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  process.kill(pid, 'SIGKILL');
});

test('stopping where nothing was recorded is no error', async () => {
  await stopRecorded(freshRecords());
});

test('a lock keeps the second out until the first is done, and a dead holder keeps nobody out', async () => {
  const lock = path.join(folder, 'lock');
  writeFileSync(lock, JSON.stringify({ pid: process.pid, startTicks: 1 }));
  const order: string[] = [];
  const told: string[] = [];
  const say = (line: string) => told.push(line);
  let finish = () => {};
  const first = exclusively(lock, say, async () => {
    order.push('first begins');
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    order.push('first ends');
  });
  await expect.poll(() => order).toEqual(['first begins']);
  const second = exclusively(lock, say, async () => order.push('second'));
  await expect.poll(() => told).toHaveLength(1);
  finish();
  await Promise.all([first, second]);
  expect(order).toEqual(['first begins', 'first ends', 'second']);
  expect(existsSync(lock)).toBe(false);
});
