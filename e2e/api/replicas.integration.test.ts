import { randomUUID } from 'node:crypto';
import { patientFetch } from '@cloudfreedom/control-plane/client/patient-fetch.ts';
import { openPool } from '@cloudfreedom/control-plane/database/pool.ts';
import { ControlPlaneProcess } from '@cloudfreedom/control-plane/faults/control-plane-process.ts';
import { KillablePostgres } from '@cloudfreedom/control-plane/faults/killable-postgres.ts';
import { ADMIN_KEY, OPERATOR_KEY } from '@cloudfreedom/control-plane/testing/api.ts';
import { tenantRegistration, tenantSecrets } from '@cloudfreedom/control-plane/testing/registrations.ts';
import { beforeEach, expect, test } from 'vitest';
import { Balancer } from './balancer.ts';

/** Callers at the same time. */
const CALLERS = 8;
/** Each may have two hundred keys, so the load goes to one after another. */
const TENANTS = 30;
/** Milliseconds of load before and after a replica goes. */
const LOAD_MS = 1_500;
/** Milliseconds after which a cluster's proxies have heard that a pod ends: it is out of its endpoints at once. */
const ENDPOINTS_MS = 1_000;

let replicas: ControlPlaneProcess[];
let balancer: Balancer;
/** Replicas that the balancer has been told to leave out. */
let withdrawn: Set<ControlPlaneProcess>;
let databaseUrl: string;
beforeEach(async () => {
  const postgres = await KillablePostgres.start();
  databaseUrl = postgres.url;
  replicas = [new ControlPlaneProcess(databaseUrl), new ControlPlaneProcess(databaseUrl)];
  for (const replica of replicas) await replica.start();
  withdrawn = new Set();
  balancer = await Balancer.start(() =>
    replicas.flatMap((replica) => (replica.url === undefined || withdrawn.has(replica) ? [] : [replica.url])),
  );
  for (let number = 0; number < TENANTS; number += 1) {
    const registered = await fetch(`${balancer.url}/v1/tenants/demo-${number}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(tenantRegistration(tenantSecrets())),
    });
    expect(registered.status).toBe(201);
  }
  return async () => {
    await balancer.close();
    await Promise.all(replicas.map((replica) => replica.kill()));
    await postgres.remove();
  };
});

type Sent = { readonly name: string; readonly status: number };

/** Reads and writes in turns, one after another, until told to stop. A failed request ends the load with its error. */
async function load(send: typeof fetch, until: AbortSignal): Promise<Sent[]> {
  let number = 0;
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
  const one = async (): Promise<Sent[]> => {
    const sent: Sent[] = [];
    while (!until.aborted) {
      const name = `load-${randomUUID()}`;
      number += 1;
      const tenant = `${balancer.url}/v1/tenants/demo-${number % TENANTS}`;
      const written = await send(`${tenant}/keys`, {
        method: 'POST',
        headers: { ...headers, 'idempotency-key': name },
        body: JSON.stringify({ name, scopes: ['usage.read'] }),
      });
      await written.text();
      const read = await send(`${tenant}/budget`, { headers });
      await read.text();
      sent.push({ name, status: written.status }, { name: '', status: read.status });
    }
    return sent;
  };
  return (await Promise.all(Array.from({ length: CALLERS }, one))).flat();
}

/** How often each name of the load was made, by the database. */
async function made(): Promise<Map<string, number>> {
  const pool = openPool({ url: databaseUrl, maxConnections: 1, onError: () => {} });
  const { rows } = await pool.query<{ name: string; times: string }>(
    `select name, count(*)::text as times from api_key where name like 'load-%' group by name`,
  );
  await pool.end();
  return new Map(rows.map(({ name, times }) => [name, Number(times)]));
}

/** Repeats until an answer has come whole: one that broke in its middle is a broken connection, too. */
const patient = patientFetch({
  firstWaitMs: 100,
  maxTries: 20,
  fetch: async (input) => {
    const answer = await fetch(input);
    return new Response(await answer.text(), { status: answer.status, headers: answer.headers });
  },
});

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('a replica that is told to end leaves no request behind: none fails', async () => {
  const stop = new AbortController();
  const loaded = load(fetch, stop.signal);
  await pause(LOAD_MS);
  const [ending] = replicas as [ControlPlaneProcess];
  const ended = ending.end();
  await pause(ENDPOINTS_MS);
  withdrawn.add(ending);
  expect(await ended).toBe(0);
  await pause(LOAD_MS);
  stop.abort();
  const sent = await loaded;
  const statuses = [...new Set(sent.map(({ status }) => status))].sort();
  expect(statuses).toEqual([200, 201]);
  expect(sent.length).toBeGreaterThan(CALLERS * 4);
  expect(balancer.failures).toEqual([]);
}, 120_000);

test('a replica that is killed loses nothing of those who repeat: each wish has its effect, once', async () => {
  const stop = new AbortController();
  const loaded = load(patient, stop.signal);
  await pause(LOAD_MS);
  await replicas[0]?.kill();
  await pause(LOAD_MS);
  stop.abort();
  const sent = await loaded;
  const wishes = sent.filter(({ name }) => name !== '');
  expect(new Set(wishes.map(({ status }) => status))).toEqual(new Set([201]));
  const times = await made();
  expect(wishes.filter(({ name }) => !times.has(name))).toEqual([]);
  // Between an effect and the record of it a process can die: what was under way then may have been done again.
  const twice = [...times].filter(([, count]) => count > 1);
  expect(twice.length).toBeLessThanOrEqual(CALLERS);
  expect(times.size).toBe(wishes.length);
}, 120_000);
