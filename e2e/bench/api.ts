/**
 * How fast the API answers, beside a bare express route in the same process and the same run: as many callers, one after
 * another, in turns. Loopback only.
 *
 *   node e2e/bench/api.ts [seconds of each turn] [rounds]     prints one line of JSON as its last
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ADMIN_KEY, PORTAL_URL } from '@cloudfreedom/control-plane/testing/api.ts';
import { progress } from '../process/progress.ts';
import { load, quantile, round } from './ledger/load.ts';

/** Callers at the same time, each on a connection it keeps. */
const CALLERS = 8;
/** Seconds of load before anything is measured. */
const WARM_UP_SECONDS = 2;

const seconds = Number(process.argv[2] ?? 3);
const rounds = Number(process.argv[3] ?? 3);
const say = progress('bench-api');

type Said = { readonly url: string; readonly bareUrl: string; readonly cookie: string; readonly key: string };
type Call = {
  readonly url: string;
  readonly method?: string;
  readonly headers: () => Record<string, string>;
  readonly body?: () => string;
  readonly status: number;
};

const child = spawn(process.execPath, [path.join(import.meta.dirname, 'api', 'server.ts')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const said = await new Promise<Said>((resolve, reject) => {
  child.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
});
const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });

const admin = () => ({ authorization: `Bearer ${ADMIN_KEY}` });
const tag = await fetch(`${said.url}/v1/plans/starter`, { headers: admin() }).then(({ headers }) =>
  headers.get('etag'),
);
const CALLS: Record<string, Call> = {
  'bare express': { url: `${said.bareUrl}/bare/demo`, headers: () => ({}), status: 200 },
  'GET plan (admin key)': { url: `${said.url}/v1/plans/starter`, headers: admin, status: 200 },
  'GET plan, not changed (304)': {
    url: `${said.url}/v1/plans/starter`,
    headers: () => ({ ...admin(), 'if-none-match': tag ?? '' }),
    status: 304,
  },
  'GET budget (person)': {
    url: `${said.url}/v1/tenants/demo/budget`,
    headers: () => ({ cookie: said.cookie, origin: PORTAL_URL }),
    status: 200,
  },
  'GET budget (API key)': {
    url: `${said.url}/v1/tenants/demo/budget`,
    headers: () => ({ authorization: `Bearer ${said.key}` }),
    status: 200,
  },
  'PUT plan, equal (admin key)': {
    url: `${said.url}/v1/plans/bench`,
    method: 'PUT',
    headers: () => ({ ...admin(), 'content-type': 'application/json' }),
    body: () =>
      JSON.stringify({
        displayName: 'Bench',
        monthlyBudgetNanoEur: '1000000000',
        maxMembers: 1,
        modelClasses: ['mini'],
        marginPercent: 20,
      }),
    status: 200,
  },
  'POST user, once (Idempotency-Key)': {
    url: `${said.url}/v1/tenants/demo/users`,
    method: 'POST',
    headers: () => ({ ...admin(), 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    body: () => JSON.stringify({ email: `${randomUUID()}@example.test`, role: 'user' }),
    status: 201,
  },
};

/** One call, to the last byte of its answer. @returns milliseconds */
function once({ url, method = 'GET', headers, body, status }: Call): Promise<number> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: headers(), agent }, (answer) => {
      if (answer.statusCode !== status) reject(new Error(`${method} ${url} was answered ${answer.statusCode}`));
      answer.resume().on('end', () => resolve(performance.now() - start));
    });
    sent.on('error', reject);
    sent.end(body?.());
  });
}

async function turn(call: Call, forSeconds: number): Promise<number[]> {
  const end = performance.now() + forSeconds * 1000;
  const caller = async () => {
    const taken: number[] = [];
    while (performance.now() < end) taken.push(await once(call));
    return taken;
  };
  return (await Promise.all(Array.from({ length: CALLERS }, caller))).flat();
}

try {
  const loadBefore = load();
  say(`${CALLERS} callers, ${cpus().length} cores, load ${loadBefore}`);
  const taken: Record<string, number[]> = {};
  await once({ ...(CALLS['PUT plan, equal (admin key)'] as Call), status: 201 }).catch(() => undefined);
  for (const call of Object.values(CALLS)) await turn(call, WARM_UP_SECONDS);
  for (let number = 1; number <= rounds; number++) {
    for (const [name, call] of Object.entries(CALLS)) {
      taken[name] = [...(taken[name] ?? []), ...(await turn(call, seconds))];
    }
    say(`round ${number} of ${rounds}; load ${load()}`);
  }
  const results = Object.fromEntries(
    Object.entries(taken).map(([name, times]) => [
      name,
      {
        p50Ms: round(quantile(times, 0.5)),
        p99Ms: round(quantile(times, 0.99)),
        perSecond: Math.round(times.length / (seconds * rounds)),
      },
    ]),
  );
  console.table(results);
  console.log(JSON.stringify({ callers: CALLERS, cores: cpus().length, loadBefore, loadAfter: load(), results }));
} finally {
  child.removeAllListeners('exit');
  child.stdin.end();
  agent.destroy();
}
