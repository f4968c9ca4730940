import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { authoriseBody, settleBody } from '../src/testing/api.ts';
import {
  modelRegistration,
  type TenantSecrets,
  tenantRegistration,
  tenantSecrets,
} from '../src/testing/registrations.ts';

/**
 * `node control-plane/bench/gateway.ts [--rate 100] [--seconds 10] [--tenants 20]`
 * Offers authorise + settle pairs at a fixed rate (open loop: a slow answer does not slow the offer) to a control plane
 * in a process of its own with the embedded Postgres, durability on. Last line: one JSON object.
 */
const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    tenants: { type: 'string', default: '20' },
  },
});
const RATE = Number(values.rate);
const SECONDS = Number(values.seconds);
const TENANTS = Number(values.tenants);
const WARM_UP_SECONDS = 3;
const PORT = 18_000 + Math.floor(Math.random() * 2_000);

const keys = { ADMIN_KEY: randomBytes(24).toString('hex'), OPERATOR_KEY: randomBytes(24).toString('hex') };
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

type Answer = { status: number; ms: number; text: string };

function call(method: string, path: string, key: string, body?: object): Promise<Answer> {
  const start = performance.now();
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': text.length,
    };
    const sent = request({ port: PORT, host: '127.0.0.1', method, path, agent, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, ms: performance.now() - start, text: answer }),
      );
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

async function ready(): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    const answer = await call('GET', '/readyz', '').catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the control plane did not become ready');
}

async function register(): Promise<TenantSecrets[]> {
  await call('PUT', '/v1/models/small', keys.OPERATOR_KEY, modelRegistration());
  const tenants: TenantSecrets[] = [];
  for (let number = 1; number <= TENANTS; number += 1) {
    const secrets = tenantSecrets();
    const registration = tenantRegistration(secrets, { monthlyBudgetNanoEur: '9000000000000000' });
    const { status, text } = await call('PUT', `/v1/tenants/bench-${number}`, keys.OPERATOR_KEY, registration);
    if (status !== 201) throw new Error(text);
    tenants.push(secrets);
  }
  return tenants;
}

type Sample = { authorise: number; settle: number };

async function pair(secrets: TenantSecrets): Promise<Sample> {
  const requestId = randomUUID();
  const authorised = await call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, requestId));
  const settled = await call('POST', '/v1/gateway/settle', secrets.credential, settleBody(requestId));
  if (authorised.status !== 200 || settled.status !== 200) throw new Error(authorised.text + settled.text);
  return { authorise: authorised.ms, settle: settled.ms };
}

async function offer(tenants: readonly TenantSecrets[], seconds: number): Promise<Sample[]> {
  const start = performance.now();
  const pairs: Promise<Sample>[] = [];
  for (let sent = 0; sent < RATE * seconds; ) {
    const due = Math.min(RATE * seconds, Math.floor(((performance.now() - start) / 1000) * RATE) + 1);
    for (; sent < due; sent += 1) pairs.push(pair(tenants[sent % tenants.length] as TenantSecrets));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return Promise.all(pairs);
}

function figures(samples: readonly number[]) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2));
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

const folder = await mkdtemp(join(tmpdir(), 'cloudfreedom-bench-'));
await chmod(folder, 0o711);
const server = spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts')], {
  env: {
    ...process.env,
    ...keys,
    PORT: String(PORT),
    HOST: '127.0.0.1',
    DATA_DIR: join(folder, 'data'),
    LOG_LEVEL: 'warn',
  },
  stdio: ['ignore', 'inherit', 'inherit'],
});
const ended = new Promise((resolve) => server.on('exit', resolve));
try {
  await ready();
  const tenants = await register();
  await offer(tenants, WARM_UP_SECONDS);
  const started = performance.now();
  const samples = await offer(tenants, SECONDS);
  const took = (performance.now() - started) / 1000;
  const result = {
    offeredPairsPerSecond: RATE,
    donePairsPerSecond: Math.round(samples.length / took),
    tenants: TENANTS,
    authorise: figures(samples.map(({ authorise }) => authorise)),
    settle: figures(samples.map(({ settle }) => settle)),
    authoriseAndSettle: figures(samples.map(({ authorise, settle }) => authorise + settle)),
    loadAverage: loadavg().map((load) => Number(load.toFixed(1))),
  };
  console.log(JSON.stringify(result));
} finally {
  server.kill('SIGTERM');
  await ended;
  agent.destroy();
  await rm(folder, { recursive: true, force: true });
}
