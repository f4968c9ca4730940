/** Tries a request gets in all. */
const MAX_TRIES = 7;
/** Milliseconds until the second try; each further one waits twice as long. */
const FIRST_WAIT_MS = 250;
/** Milliseconds one wait may last, whatever Retry-After asks for. */
const MAX_WAIT_MS = 10_000;

export type PatientFetchOptions = {
  /** Replaces the platform's own. */
  readonly fetch?: typeof globalThis.fetch;
  readonly firstWaitMs?: number;
  readonly maxTries?: number;
};

/**
 * A fetch that tries again what may be tried again without a second effect: reads, PUT and DELETE, and writes that carry
 * an Idempotency-Key. It does so after a broken connection, 429, 502, 503, 504, and the 409 that says the first try is under way.
 */
export function patientFetch(options: PatientFetchOptions = {}): typeof globalThis.fetch {
  const send = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const maxTries = options.maxTries ?? MAX_TRIES;
  return async (input, init) => {
    const request = new Request(input, init);
    if (!isRepeatable(request)) return send(request);
    for (let tries = 1; ; tries += 1) {
      const last = tries >= maxTries;
      // A request's body can be read once only: each try gets a copy.
      const answer = await send(request.clone()).catch((error: unknown) => {
        if (last || request.signal.aborted) throw error;
        return undefined;
      });
      if (answer !== undefined && (last || !(await asksForPatience(answer)))) return answer;
      await wait(waitOf(answer, tries, options.firstWaitMs ?? FIRST_WAIT_MS), request.signal);
    }
  };
}

function isRepeatable(request: Request): boolean {
  return !['POST', 'PATCH'].includes(request.method) || request.headers.has('idempotency-key');
}

async function asksForPatience(answer: Response): Promise<boolean> {
  if ([429, 502, 503, 504].includes(answer.status)) return true;
  if (answer.status !== 409) return false;
  const body: unknown = await answer
    .clone()
    .json()
    .catch(() => undefined);
  return (body as { code?: unknown } | undefined)?.code === 'idempotency_in_progress';
}

function waitOf(answer: Response | undefined, tries: number, firstWaitMs: number): number {
  const asked = Number(answer?.headers.get('retry-after') ?? 0) * 1000;
  const own = firstWaitMs * 2 ** (tries - 1);
  return Math.min(MAX_WAIT_MS, Math.max(asked, own));
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
