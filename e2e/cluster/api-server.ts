import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../process/until.ts';
import { issueCertificate, makeAuthority, makeServiceAccountKeys } from './certificates.ts';
import {
  API_SERVICE_ADDRESS,
  apiServerArguments,
  type ControlPlaneSettings,
  controllerManagerArguments,
  etcdArguments,
} from './control-plane-arguments.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { toolsFolder } from './tools.ts';

/** Milliseconds from start to /readyz; four seconds suffice on a quiet machine. */
const START_DEADLINE_MS = 90_000;
const LOOK_EVERY_MS = 100;
/** Times another port is tried when somebody took the chosen one first. */
const PORT_ATTEMPTS = 3;
/** Characters of a dead process's log that its error carries. */
const LOG_TAIL_LENGTH = 2_000;
const LOOPBACK = '127.0.0.1';

/** What to start. */
export interface ApiServerOptions {
  /** Runs kube-controller-manager too: namespaces vanish when deleted, owners' children are collected, ReplicaSets appear. */
  controllerManager?: boolean;
  /** Added to kube-apiserver's own, e.g. `--feature-gates=…`. */
  extraArguments?: readonly string[];
}

/** A running API server of one test file: etcd + kube-apiserver on loopback, no node. */
export interface ApiServer {
  /** `https://127.0.0.1:<port>` */
  url: string;
  /** Of a cluster admin (group `system:masters`). */
  kubeconfigPath: string;
  /** PEM certificate of the authority that signed the server's certificate. */
  authorityFile: string;
  /** Folder of kubectl and its kin. */
  binFolder: string;
  /** Writes a kubeconfig for any user name and group and returns its path: to try what RBAC allows. */
  kubeconfigFor(userName: string, group?: string): string;
  /** Ends every process and removes every file; may be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts an API server with a database of its own, in the way of controller-runtime's envtest, and waits for /readyz.
 * Its processes die with the thread that started them, however that ends.
 */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const binFolder = await toolsFolder('kubernetes');
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(binFolder, options);
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('address already in use');
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function startOnce(binFolder: string, options: ApiServerOptions): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'cf-api-'));
  const processes: Running[] = [];
  const stop = async () => {
    // Nothing here is worth a graceful end, and the reverse order spares the log lines about lost connections.
    for (const running of processes.splice(0).reverse()) await running.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const authority = makeAuthority(folder, 'authority', 'cloudfreedom-test');
    const names = [LOOPBACK, API_SERVICE_ADDRESS, 'localhost', 'kubernetes.default.svc'];
    const serving = issueCertificate(folder, 'serving', { commonName: 'kube-apiserver', names }, authority);
    const serviceAccount = makeServiceAccountKeys(folder);
    const settings: ControlPlaneSettings = {
      folder,
      dataFolder: join(folder, 'etcd'),
      bindAddress: LOOPBACK,
      securePort: await freePort(),
      authorityFile: authority.certificateFile,
      servingCertificateFile: serving.certificateFile,
      servingKeyFile: serving.keyFile,
      serviceAccountPrivateKeyFile: serviceAccount.privateKeyFile,
      serviceAccountPublicKeyFile: serviceAccount.publicKeyFile,
    };
    const url = `https://${LOOPBACK}:${settings.securePort}`;
    const kubeconfigFor = (commonName: string, organization?: string) => {
      const subject = organization === undefined ? { commonName } : { commonName, organization };
      const path = join(folder, `${encodeURIComponent(commonName)}.kubeconfig`);
      const pair = issueCertificate(folder, encodeURIComponent(commonName), subject, authority);
      writeKubeconfig(path, url, authority.certificateFile, pair);
      return path;
    };
    const kubeconfigPath = kubeconfigFor('admin', 'system:masters');

    processes.push(run(folder, binFolder, 'etcd', etcdArguments(settings)));
    const apiServer = run(folder, binFolder, 'kube-apiserver', [
      ...apiServerArguments(settings),
      // Without the controllers nobody makes the ServiceAccounts that this plugin asks for before it admits a pod.
      ...(options.controllerManager ? [] : ['--disable-admission-plugins=ServiceAccount']),
      ...(options.extraArguments ?? []),
    ]);
    processes.push(apiServer);
    if (options.controllerManager) {
      processes.push(
        run(folder, binFolder, 'kube-controller-manager', controllerManagerArguments(settings, kubeconfigPath)),
      );
    }
    const authorityPem = readFileSync(authority.certificateFile, 'utf8');
    const died = await until(
      'kube-apiserver to answer /readyz',
      async () => {
        const cause = processes.map((running) => running.causeOfDeath()).find((text) => text !== undefined);
        return cause ?? ((await isReady(url, authorityPem)) ? false : undefined);
      },
      { timeoutMs: START_DEADLINE_MS, intervalMs: LOOK_EVERY_MS },
    );
    if (died) throw new Error(died);
    return { url, kubeconfigPath, authorityFile: authority.certificateFile, binFolder, kubeconfigFor, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Running {
  /** What a process that ended by itself said last; undefined while it runs. */
  causeOfDeath(): string | undefined;
  kill(): Promise<void>;
}

function run(folder: string, binFolder: string, command: string, arguments_: string[]): Running {
  const logFile = join(folder, `${command}.log`);
  const log = openSync(logFile, 'a');
  // setpriv lets the kernel end the process when the thread that started it ends: no orphan after a crashed test.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', join(binFolder, command), ...arguments_], {
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  return {
    causeOfDeath() {
      if (isAlive(child)) return undefined;
      const tail = readFileSync(logFile, 'utf8').slice(-LOG_TAIL_LENGTH);
      return `${command} ended with ${child.exitCode ?? child.signalCode}; the end of its log:\n${tail}`;
    },
    async kill() {
      if (isAlive(child)) child.kill('SIGKILL');
      await ended;
    },
  };
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** A port that was free a moment ago; the caller tries again when it is taken by the time it is used. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

function isReady(url: string, ca: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    request(`${url}/readyz`, { ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .once('error', reject)
      .end();
  });
}
