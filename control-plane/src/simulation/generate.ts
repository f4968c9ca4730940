import { Random } from '../testing/random.ts';
import type { Asked } from './model.ts';
import type { DatabaseFault, MessageFault, RequestStep, Scenario, Step, StrayCall } from './scenario.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Steps begin within this span; a stream may outlast it. */
const SPAN_MS = 90_000;
const MAX_REQUESTS = 12;
const MAX_OTHER_STEPS = 9;
/** Faulty calls or writes that one request can meet. After them everything goes well, so every run comes to rest. */
const MAX_FAULTS_PER_REQUEST = 5;

/** Month ends, and month ends that summer time makes strange: midnight missing (Asuncion), midnight twice (Havana). */
const STARTS: readonly { readonly timeZone: string; readonly at: string }[] = [
  { timeZone: 'Europe/Berlin', at: '2026-11-20T10:00:00Z' },
  { timeZone: 'Europe/Berlin', at: '2026-11-30T23:00:00Z' },
  { timeZone: 'Europe/Berlin', at: '2026-10-25T01:00:00Z' },
  { timeZone: 'Europe/Berlin', at: '2027-03-31T22:00:00Z' },
  { timeZone: 'America/New_York', at: '2027-01-01T05:00:00Z' },
  { timeZone: 'America/Asuncion', at: '2023-10-01T04:00:00Z' },
  { timeZone: 'America/Havana', at: '2026-11-01T04:00:00Z' },
  { timeZone: 'America/Havana', at: '2026-11-01T05:00:00Z' },
  { timeZone: 'Australia/Lord_Howe', at: '2026-09-30T13:30:00Z' },
  { timeZone: 'Pacific/Kiritimati', at: '2028-02-29T10:00:00Z' },
];

/** What a seed stands for: the same scenario for ever, as long as this file stays the same. */
export function generate(seed: number): Scenario {
  const random = new Random(seed);
  const start = random.pick(STARTS);
  const startsAt = new Date(Date.parse(start.at) - random.integer(0, SPAN_MS)).toISOString();
  const shape = { gateways: random.integer(1, 3), replicas: random.integer(1, 2) };
  // Some runs are calm and some are wild: a bug may need many faults, or none that hides it.
  const wildness = random.pick([0, 0.1, 0.3, 0.6]);
  const requests = Array.from({ length: random.integer(2, MAX_REQUESTS) }, () => request(random, shape, wildness));
  const others = Array.from({ length: random.integer(0, MAX_OTHER_STEPS) }, () =>
    other(random, { ...shape, startsAtMs: Date.parse(startsAt), timeZone: start.timeZone }, wildness, requests),
  );
  const lease = leaseOf(random, shape, wildness);
  const outages = Array.from({ length: lease === null ? 0 : random.integer(0, 2) }, () =>
    outage(random, shape, wildness),
  );
  const steps = [...requests, ...others, ...outages.flat()].sort((a, b) => a.atMs - b.atMs);
  return {
    seed,
    timeZone: start.timeZone,
    startsAt,
    holdTtlMs: random.pick([15, 45, 200]) * SECOND_MS,
    monthlyBudget: random.integer(0, 1500) + (lease === null ? 0 : random.integer(0, 3000)),
    memberBudget: random.chance(0.6) ? null : random.integer(0, 900),
    keyBudget: random.chance(0.6) ? null : random.integer(0, 900),
    lease,
    maxMembers: random.pick([null, 3, 4]),
    ...shape,
    steps,
  };
}

function leaseOf(random: Random, shape: Shape, wildness: number): Scenario['lease'] {
  if (random.chance(0.4)) return null;
  const faulty = random.chance(wildness) ? MAX_FAULTS_PER_REQUEST : 0;
  return {
    amount: random.integer(4, 200),
    seconds: random.pick([10, 60, 300]),
    messages: Array.from({ length: faulty }, () => message(random, shape, wildness)),
  };
}

/** Before it calls that make a gateway take a lease, during it such as a lease may serve. */
function outage(random: Random, shape: Shape, wildness: number): Step[] {
  const [atMs, forMs] = [random.integer(SECOND_MS, SPAN_MS), random.integer(10, 60) * SECOND_MS];
  const small = (from: number, to: number): RequestStep => {
    const bound = random.integer(0, 60);
    const used = random.chance(0.1) ? bound + random.integer(1, 20) : random.integer(0, bound);
    const asked = { bound, user: random.chance(0.5) ? null : 1, key: 'chat' as const, clamp: null };
    return { ...request(random, shape, wildness), atMs: random.integer(from, to), asked, used };
  };
  return [
    ...Array.from({ length: 2 * shape.gateways }, () => small(0, atMs)),
    { atMs, kind: 'control_plane_away', forMs },
    ...Array.from({ length: random.integer(1, 6) }, () => small(atMs, atMs + forMs)),
  ];
}

type Shape = { readonly gateways: number; readonly replicas: number };

function request(random: Random, shape: Shape, wildness: number): RequestStep {
  const asked = askedBy(random);
  const { bound } = asked;
  const faults = () => (random.chance(wildness) ? random.integer(1, MAX_FAULTS_PER_REQUEST) : 0);
  return {
    kind: 'request',
    atMs: random.integer(0, SPAN_MS),
    id: uuid(random),
    gateway: random.integer(0, shape.gateways - 1),
    asked,
    // Mostly within its bound. A provider that overcharges is an overrun; that is decided here too.
    used: random.chance(0.1) ? bound + random.integer(1, 60) : random.chance(0.3) ? bound : random.integer(0, bound),
    streamMs: random.pick([50, 400, 5 * SECOND_MS, 20 * SECOND_MS, 60 * SECOND_MS]),
    ending: random.pick([
      'complete',
      'complete',
      'complete',
      'complete',
      'upstream_failure',
      'client_gone',
      'unreported',
    ]),
    // Without faults calls still take their time, and go to any replica.
    messages: Array.from({ length: Math.max(2, faults()) }, () => message(random, shape, wildness)),
    redis: Array.from({ length: faults() }, () => random.pick(['none', 'lost', 'reply_lost'] as const)),
  };
}

function askedBy(random: Random): Asked {
  const bound = random.integer(0, 500);
  const min = random.integer(0, Math.floor(bound / 2));
  const clamp = random.chance(0.3) && bound > 1 ? { min, step: random.integer(1, 40) } : null;
  if (random.chance(0.3)) return { bound, user: null, key: 'api', clamp };
  return { bound, user: random.chance(0.3) ? null : random.integer(1, 5), key: 'chat', clamp };
}

function message(random: Random, shape: Shape, wildness: number): MessageFault {
  const fault = databaseFault(random, wildness);
  return {
    kind: random.chance(wildness)
      ? random.pick(['request_lost', 'reply_lost', 'reset_before', 'reset_after', 'duplicate'] as const)
      : 'none',
    delayMs: random.chance(wildness / 2) ? random.integer(1, 40) * SECOND_MS : random.integer(0, 20),
    duplicateAfterMs: random.pick([0, 10, 3 * SECOND_MS, 30 * SECOND_MS, 90 * SECOND_MS]),
    replica: random.integer(0, shape.replicas - 1),
    ...(fault === undefined ? {} : { database: fault }),
  };
}

function databaseFault(random: Random, wildness: number): DatabaseFault | undefined {
  if (!random.chance(wildness / 2)) return undefined;
  return { kind: random.pick(['transaction_lost', 'reply_lost'] as const), statement: random.integer(0, 2) };
}

function other(
  random: Random,
  { startsAtMs, timeZone, ...shape }: Shape & { startsAtMs: number; timeZone: string },
  wildness: number,
  requests: readonly RequestStep[],
): Step {
  const atMs = random.integer(0, SPAN_MS);
  const fault = databaseFault(random, wildness);
  const at = {
    atMs,
    replica: random.integer(0, shape.replicas - 1),
    ...(fault === undefined ? {} : { database: fault }),
  };
  const gateway = random.integer(0, shape.gateways - 1);
  const of = random.pick(requests);
  const forMs = random.integer(1, 60) * SECOND_MS;
  const grant = { ...at, kind: 'grant', priority: null, expiresAtMs: null } as const;
  const amount = random.chance(0.5) ? null : random.integer(1, 200);
  const reversal = { ...at, kind: 'reverse', key: `reversal-${random.integer(1, 3)}`, amount } as const;
  const lasting = {
    priority: random.pick([null, 5, 15, 40]),
    expiresAtMs: startsAtMs + random.integer(1, 120) * SECOND_MS,
  };
  const subject = random.pick(['key', 'user-1', 'user-2', 'user-3']);
  const choices: readonly (() => Step)[] = [
    () => ({ ...grant, key: `top-up-${random.integer(1, 3)}`, source: 'top_up', amount: 400 }),
    () => ({ ...grant, ...lasting, key: `gift-${random.integer(1, 2)}`, source: 'promotion', amount: 150 }),
    () => ({ ...grant, ...lasting, key: uuid(random), source: 'promotion', amount: random.integer(1, 700) }),
    () => ({ ...grant, key: uuid(random), source: 'correction', amount: -random.integer(1, 600) }),
    () => ({ ...grant, key: `reset-${random.integer(1, 2)}`, source: 'correction', amount: null }),
    () => ({ ...reversal, of: { grant: `top-up-${random.integer(1, 3)}` } }),
    () => ({ ...reversal, of: { request: of.id } }),
    () => ({ ...reversal, of: { request: of.id } }),
    () => ({ ...at, kind: 'register', monthlyBudget: random.integer(0, 2500), timeZone }),
    () => ({ ...at, kind: 'register', monthlyBudget: 1000, timeZone: random.pick(STARTS).timeZone }),
    () => ({ ...at, kind: 'limit', subject, limit: random.chance(0.3) ? null : random.integer(0, 900) }),
    () => ({ ...at, kind: 'sweep' }),
    () => ({ ...at, kind: 'budget' }),
    () => ({ ...at, kind: 'stray', calls: [strayCall(random, requests)] }),
    () => ({ ...at, kind: 'stray', calls: [strayCall(random, requests)] }),
    () => ({ ...at, kind: 'stray', calls: burst(random, requests) }),
    () => ({ ...at, kind: 'stray', calls: burst(random, requests) }),
    () => ({ atMs, kind: 'gateway_killed', gateway, downMs: random.pick([0, 2 * SECOND_MS, 50 * SECOND_MS]) }),
    () => ({ atMs, kind: 'gateway_killed', gateway, downMs: random.pick([0, 2 * SECOND_MS, 50 * SECOND_MS]) }),
    () => ({ atMs, kind: 'gateway_cut_off', gateway, forMs }),
    () => ({ atMs, kind: 'redis_away', forMs }),
    () => ({ atMs, kind: 'redis_flushed' }),
    () => ({ atMs, kind: 'control_plane_away', forMs }),
    () => ({ atMs, kind: 'replica_restarted', replica: at.replica }),
    () => ({
      atMs,
      kind: 'clock_jump',
      byMs: random.pick([-5 * SECOND_MS, -50 * SECOND_MS, 10 * SECOND_MS, 50 * SECOND_MS]),
    }),
    () => ({ atMs, kind: 'clock_jump', byMs: random.pick([HOUR_MS, 3 * DAY_MS, 31 * DAY_MS, 200 * DAY_MS]) }),
  ];
  return random.pick(choices)();
}

/** A copy of a call about a request, the same or with other figures. */
function strayCall(random: Random, requests: readonly RequestStep[]): StrayCall {
  const { id, asked, used } = random.pick(requests);
  const other = random.integer(0, 1);
  return random.pick<StrayCall>([
    { kind: 'authorise', request: id, asked: { ...asked, bound: asked.bound + other } },
    { kind: 'settle', request: id, used: used + other },
    { kind: 'void', request: id },
  ]);
}

/** Calls of one instant, which the ledger may book together: of new requests, and of those that are under way. */
function burst(random: Random, requests: readonly RequestStep[]): StrayCall[] {
  return Array.from({ length: random.integer(2, 6) }, () =>
    random.chance(0.5)
      ? { kind: 'authorise', request: uuid(random), asked: askedBy(random) }
      : strayCall(random, requests),
  );
}

/** A version 4 UUID made of the run's own chance, so that the same seed names its requests the same. */
function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => random.integer(0, 15).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
