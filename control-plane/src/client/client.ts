import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema.ts';

/** The typed client of the API. For browsers and Node alike: nothing in this folder but `generate.ts` needs Node. */

export type { components, paths } from './schema.ts';

/** What went wrong (RFC 9457): `code` is stable and for programs, `detail` is for people. */
export type Problem = components['schemas']['Problem'];

export type ApiClient = Client<paths, `${string}/${string}`>;

export type ApiClientOptions = {
  /** Where the API is, e.g. https://api.example.com. Absent: where the page came from. */
  readonly baseUrl?: string;
  /** A key or service token. Absent: the browser's session cookie. */
  readonly token?: string;
  /** Replaces the platform's own, e.g. by `patientFetch`. */
  readonly fetch?: typeof globalThis.fetch;
};

/** A client whose paths, parameters, bodies and answers are those of openapi.json. */
export function createApiClient(options: ApiClientOptions = {}): ApiClient {
  const { token, fetch } = options;
  return createClient<paths>({
    baseUrl: options.baseUrl ?? '',
    credentials: 'same-origin',
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(fetch === undefined ? {} : { fetch: (request: Request) => fetch(request) }),
  });
}

/** Thrown by `dataOf` for an answer that is a problem. */
export class ApiProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
    this.name = 'ApiProblem';
    this.problem = problem;
  }
}

/**
 * The data of an answer, for callers that handle problems as exceptions, such as queries of a page.
 * @throws ApiProblem
 */
export async function dataOf<Data>(
  answer: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<Exclude<Data, undefined>> {
  const { data, error, response } = await answer;
  if (!response.ok) throw new ApiProblem(problemOf(error, response.status));
  return data as Exclude<Data, undefined>;
}

/** The problem of a refused answer; one made up when something between us and the API answered in its stead. */
export function problemOf(error: unknown, status: number): Problem {
  if (typeof error === 'object' && error !== null && 'code' in error && 'detail' in error) return error as Problem;
  const detail = `the server answered ${status} without saying why; try again in a moment`;
  return { type: 'urn:cloudfreedom:problem:unexplained', title: 'Error', status, detail, code: 'unexplained' };
}

/**
 * A fresh Idempotency-Key header: `client.POST(path, { params: { header: idempotencyKey() }, body })`. Make it once per
 * wish of the user, not once per try: every repetition with it has one effect, and gets the first one's answer.
 */
export function idempotencyKey(): { 'Idempotency-Key': string } {
  return { 'Idempotency-Key': crypto.randomUUID() };
}
