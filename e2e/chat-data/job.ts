import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { CHAT_DATA_SCRIPT } from '../../operator/src/config.ts';
import { BOOTSTRAP } from './chat-database.ts';

export interface Run {
  readonly child: ChildProcess;
  /** What it printed, and how it ended. */
  readonly ended: Promise<{ code: number | null; output: string }>;
}

/** One run of the job, as its container starts it. */
export function startJob(bin: string, controlPlaneUrl: string, credential: string, databaseUrl: string): Run {
  const child = spawn(path.join(bin, 'python'), [CHAT_DATA_SCRIPT], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PYTHONDONTWRITEBYTECODE: '1',
      CLOUDFREEDOM_CONTROL_PLANE_URL: controlPlaneUrl,
      CLOUDFREEDOM_CREDENTIAL: credential,
      DATABASE_URL: databaseUrl,
      WEBUI_ADMIN_EMAIL: BOOTSTRAP,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, ended: once(child, 'close').then(([code]) => ({ code, output })) };
}
