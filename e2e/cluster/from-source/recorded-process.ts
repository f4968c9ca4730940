import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Say } from '../../process/progress.ts';
import { until } from '../../process/until.ts';

/** Milliseconds until a killed process must be gone. */
const END_DEADLINE_MS = 20_000;
/** Milliseconds that another `up` may take; on a fresh machine it builds everything from source. */
const LOCK_DEADLINE_MS = 3_600_000;
/** Field of /proc/PID/stat, counted from the one after the command's name: the start in clock ticks since boot. */
const START_TICKS_FIELD = 19;

/** Process id and start: together they name one process for as long as the machine runs, the id alone does not. */
interface Identity {
  pid: number;
  startTicks: number;
}

/** Starts a process that outlives this one, with its output in `logFile`, and records it in `folder` under `name`. */
export function startRecorded(folder: string, name: string, command: readonly string[], logFile: string): void {
  const log = openSync(logFile, 'a');
  const [file, ...arguments_] = command;
  if (file === undefined) throw new Error('a process needs a command');
  const child = spawn(file, arguments_, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  child.once('error', () => {}); // seen below: it has no id
  if (child.pid === undefined) throw new Error(`${file} could not be started`);
  child.unref();
  const startTicks = startTicksOf(child.pid);
  if (startTicks === undefined) throw new Error(`${name} ended at once; see ${logFile}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, name), JSON.stringify({ pid: child.pid, startTicks } satisfies Identity));
}

/** Whether every process recorded in `folder` runs, and there is one. */
export function recordedRun(folder: string): boolean {
  const identities = recorded(folder);
  return identities.length > 0 && identities.every(isRunning);
}

/** Kills the processes recorded in `folder`, waits until they are gone, and forgets them. */
export async function stopRecorded(folder: string): Promise<void> {
  for (const identity of recorded(folder)) {
    if (!isRunning(identity)) continue;
    process.kill(identity.pid, 'SIGKILL');
    await until(`process ${identity.pid} to end`, () => (isRunning(identity) ? undefined : true), {
      timeoutMs: END_DEADLINE_MS,
      intervalMs: 20,
    });
  }
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Runs `task` while no other process does so under the same lock file; waits for one that does. A lock whose holder has
 * died counts for nothing.
 */
export async function exclusively<T>(lockFile: string, say: Say, task: () => Promise<T>): Promise<T> {
  const mine: Identity = { pid: process.pid, startTicks: startTicksOf(process.pid) ?? 0 };
  let told = false;
  await until(
    `whoever holds ${lockFile}`,
    () => {
      if (existsSync(lockFile) && !isRunning(JSON.parse(readFileSync(lockFile, 'utf8')))) rmSync(lockFile);
      try {
        writeFileSync(lockFile, JSON.stringify(mine), { flag: 'wx' });
        return true;
      } catch (error) {
        if (!told) say('waiting for another `up` or `down` to end');
        told = true;
        throw error;
      }
    },
    { timeoutMs: LOCK_DEADLINE_MS },
  );
  try {
    return await task();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function recorded(folder: string): Identity[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
}

function isRunning({ pid, startTicks }: Identity): boolean {
  return startTicksOf(pid) === startTicks;
}

/** When the process started; undefined when there is none, or only its unread exit code. */
function startTicksOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name in parentheses may hold spaces and parentheses itself
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[START_TICKS_FIELD]);
  } catch {
    return undefined;
  }
}
