import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { S3Settings } from '../../control-plane/src/files/s3-driver.ts';
import { toolsFolder } from '../cluster/tools.ts';
import { answers, freePort, type Spawned, spawnServer } from '../gateway/spawned.ts';
import { progress } from '../process/progress.ts';

const READY_TIMEOUT_MS = 20_000;
const BUCKET = 'files-of-tenants';

export interface S3Server {
  settings: S3Settings;
  process: Spawned;
}

/** A real S3-compatible server that keeps everything in memory. */
export async function startS3Server(): Promise<S3Server> {
  const bin = await toolsFolder('gofakes3', progress('tools'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const process = await spawnServer('gofakes3', {
    command: path.join(bin, 'gofakes3'),
    args: ['-backend', 'memory', '-host', `127.0.0.1:${port}`, '-initialbucket', BUCKET],
    env: {},
    ready: () => answers(`${endpoint}/${BUCKET}`),
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
  const key = randomBytes(16).toString('hex');
  return { settings: { endpoint, bucket: BUCKET, region: 'auto', accessKey: key, secretKey: key }, process };
}
