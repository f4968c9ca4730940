import { type SpawnOptions, spawn } from 'node:child_process';

/** Bytes of standard output and of standard error that are kept of one command; older output is dropped. */
const KEPT_OUTPUT_BYTES = 16 * 1024 * 1024;
/** Lines of standard error that a failure message quotes. */
const QUOTED_LINES = 15;

/** What a command left behind; both texts are the tail of at most `KEPT_OUTPUT_BYTES`. */
export interface Finished {
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  /** Replaces the environment; default is this process's own. */
  env?: NodeJS.ProcessEnv;
  /** Text given on standard input. */
  input?: string;
  /** Called with every whole line of either stream, for progress. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/** A command ended otherwise than with 0; the message quotes the end of its standard error. */
export class CommandFailed extends Error {
  readonly exitCode: number | null;
  readonly stderr: string;
  constructor(command: string, exitCode: number | null, finished: Finished) {
    const tail = (finished.stderr.trim() || finished.stdout.trim()).split('\n').slice(-QUOTED_LINES).join('\n');
    super(`${command} ended with ${exitCode ?? 'a signal'}:\n${tail}`);
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
    this.stderr = finished.stderr;
  }
}

/** Runs a command to its end and returns what it printed; throws `CommandFailed` unless it ends with 0. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const spawnOptions: SpawnOptions = { stdio: ['pipe', 'pipe', 'pipe'] };
  if (options.cwd) spawnOptions.cwd = options.cwd;
  if (options.env) spawnOptions.env = options.env;
  if (options.signal) spawnOptions.signal = options.signal;
  const child = spawn(command, args, spawnOptions);
  const finished: Finished = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    let partial = '';
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      finished[stream] = (finished[stream] + text).slice(-KEPT_OUTPUT_BYTES);
      if (!options.onLine) return;
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) options.onLine(line);
    });
  }
  // a command that does not read its input closes the pipe early; that is its own business
  child.stdin?.on('error', () => {}).end(options.input ?? '');
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) => reject(new Error(`${command} could not be started`, { cause })));
    child.on('close', resolve);
  });
  if (exitCode !== 0) throw new CommandFailed([command, ...args.slice(0, 4)].join(' '), exitCode, finished);
  return finished;
}
