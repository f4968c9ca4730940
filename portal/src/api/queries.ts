import { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './client.ts';

/** Milliseconds for which an answer is shown without asking again. */
const FRESH_MS = 10_000;
/** Tries of a read beyond the first where the server was away. */
const MAX_RETRIES = 2;

/** Keeps what the API answered. What it refused is not asked again; what did not arrive is. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        retry: (failures, error) => failures < MAX_RETRIES && !isRefusal(error),
      },
    },
  });
}

/** Whether the API answered and said no, which asking again does not change. */
export function isRefusal(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && error.problem.status < 500;
}

/** Whether nobody is signed in. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiProblem && error.problem.status === 401;
}

/** Whether the API answered with this stable code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof ApiProblem && error.problem.code === code;
}
