/**
 * What the hook costs: the same LiteLLM with and without it, in one run on one machine, in turns.
 *
 *   node e2e/bench/gateway.ts [rounds]     prints one line of JSON on standard output; milliseconds
 */
import { loadavg } from 'node:os';
import { ask, question } from '../gateway/client.ts';
import { type Rig, startRig } from '../gateway/rig.ts';
import { progress } from '../process/progress.ts';

/** Calls of one kind in a row, before it is the other LiteLLM's turn. */
const CALLS_PER_TURN = 25;
const DEFAULT_ROUNDS = 8;
/** Calls before anything is measured. */
const WARM_UP_CALLS = 30;
/** What the provider takes to its first token. */
const PROVIDER_DELAY_MS = 20;

const say = progress('bench');

interface Subject {
  name: 'withHook' | 'withoutHook';
  url: string;
  key: string;
}

/** Milliseconds to the first byte of a stream, and to the end of an answer at once, of one subject. */
interface Samples {
  firstTokenMs: number[];
  wholeMs: number[];
}

async function measure(subject: Subject, stream: boolean): Promise<number> {
  const messages = question({ promptTokens: 100, completionTokens: 20, chunks: 5, delayMs: PROVIDER_DELAY_MS });
  const began = performance.now();
  const body = { model: 'gpt-4o-mini', stream, max_tokens: 100, messages };
  const seen = await ask(subject.url, '/v1/chat/completions', body, { key: subject.key });
  if (seen.status !== 200) throw new Error(`${subject.name}: ${seen.status} ${seen.text.slice(0, 300)}`);
  return stream ? seen.firstByteMs : performance.now() - began;
}

async function turns(subjects: readonly Subject[], rounds: number): Promise<Map<string, Samples>> {
  const samples = new Map(subjects.map(({ name }) => [name as string, { firstTokenMs: [], wholeMs: [] } as Samples]));
  for (const subject of subjects) {
    for (let count = 0; count < WARM_UP_CALLS; count++) await measure(subject, count % 2 === 0);
  }
  for (let round = 0; round < rounds; round++) {
    // who begins changes, so that neither profits from a machine that calms down
    const order = round % 2 === 0 ? subjects : [...subjects].reverse();
    for (const subject of order) {
      const of = samples.get(subject.name) as Samples;
      for (let count = 0; count < CALLS_PER_TURN; count++) of.firstTokenMs.push(await measure(subject, true));
      for (let count = 0; count < CALLS_PER_TURN; count++) of.wholeMs.push(await measure(subject, false));
    }
    say(`round ${round + 1} of ${rounds}, load ${loadavg()[0]?.toFixed(1)}`);
  }
  return samples;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return Math.round(value * 10) / 10;
}

async function bench(rig: Rig, rounds: number): Promise<object> {
  const bare = await rig.addGateway({ hook: false, pod: 'litellm-bare' });
  const hooked = rig.gateways[0];
  if (hooked === undefined) throw new Error('the rig has no gateway');
  const loadBefore = loadavg()[0];
  const samples = await turns(
    [
      { name: 'withHook', url: hooked.url, key: rig.apiKey },
      { name: 'withoutHook', url: bare.url, key: rig.masterKey },
    ],
    rounds,
  );
  const figures = [...samples].map(([name, { firstTokenMs, wholeMs }]) => [
    name,
    {
      firstTokenP50: quantile(firstTokenMs, 0.5),
      firstTokenP99: quantile(firstTokenMs, 0.99),
      wholeP50: quantile(wholeMs, 0.5),
      wholeP99: quantile(wholeMs, 0.99),
      calls: firstTokenMs.length + wholeMs.length,
    },
  ]);
  return {
    ...Object.fromEntries(figures),
    providerDelayMs: PROVIDER_DELAY_MS,
    load: [loadBefore, loadavg()[0]].map((load) => Number(load?.toFixed(2))),
  };
}

const rig = await startRig({ timeoutSeconds: 60 });
try {
  console.log(JSON.stringify(await bench(rig, Number(process.argv[2] ?? DEFAULT_ROUNDS))));
} finally {
  await rig.close();
}
