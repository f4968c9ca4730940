import { z } from 'zod';

/** Where in the input something is wrong. */
export type FieldFault = { readonly path: string; readonly message: string };

/** RFC 9457. `code` is for programs and never changes; `detail` is for people and says what to do. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    retryAfterSeconds: z.int().optional(),
  })
  .meta({ id: 'Problem', description: 'What went wrong (RFC 9457) and what to do about it' });
export type Problem = z.output<typeof Problem>;

const TITLES: Record<number, string> = {
  400: 'Bad request',
  401: 'Not authenticated',
  402: 'Budget spent',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request took too long',
  409: 'Conflict',
  410: 'Gone',
  413: 'Body too large',
  415: 'Unsupported media type',
  422: 'Unprocessable input',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available',
};

/** Builds a problem's body. */
export function problem(status: number, code: string, detail: string, more: Partial<Problem> = {}): Problem {
  return { type: `urn:cloudfreedom:problem:${code}`, title: TITLES[status] ?? 'Error', status, detail, code, ...more };
}

/** Thrown by the machinery around the operations (auth, body, routing); operations return their refusals as values. */
export class HttpProblem extends Error {
  readonly problem: Problem;

  constructor(status: number, code: string, detail: string, more: Partial<Problem> = {}) {
    super(detail);
    this.name = 'HttpProblem';
    this.problem = problem(status, code, detail, more);
  }
}

/** The 422 for input that has the wrong shape. */
export function invalidInput(error: z.ZodError): HttpProblem {
  const errors = error.issues.flatMap((issue): FieldFault[] => {
    const path = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, message: 'is not a known field' }));
    }
    return [{ path, message: issue.message }];
  });
  const first = errors[0];
  const detail = first === undefined ? 'the input is not valid' : `${first.path || 'body'}: ${first.message}`;
  return new HttpProblem(422, 'invalid_input', detail, { errors });
}
