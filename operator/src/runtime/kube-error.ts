/** One field the server found fault with. */
export interface FieldFault {
  field: string;
  reason: string;
  message: string;
}

/** What is known of a refusal. */
export interface KubeErrorFacts {
  /** HTTP status; 0 where no answer came (connection refused or cut, deadline passed). */
  status: number;
  /** The server's reason (`NotFound`, `AlreadyExists`, `Conflict`, `Invalid`, `Expired` …), or one of `LocalReason`. */
  reason: string;
  message: string;
  /** How long the server asked us to stay away, in milliseconds. */
  retryAfterMs?: number;
  faults?: FieldFault[];
  cause?: unknown;
}

/** Reasons the server did not give: we found out ourselves. */
export type LocalReason = 'Unreachable' | 'DeadlineExceeded' | 'MalformedAnswer' | 'AnswerTooLarge';

/** Any refusal by the API server, and any failure to get an answer from it. */
export class KubeError extends Error {
  override name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  readonly faults: readonly FieldFault[];

  constructor(facts: KubeErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfterMs = facts.retryAfterMs;
    this.faults = facts.faults ?? [];
  }
}

/** Gone, or never there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.status === 404;
}

/** `create` met an object of that name. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409 && error.reason === 'AlreadyExists';
}

/** A precondition (uid, resourceVersion) no longer held: read again and decide again. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409 && error.reason !== 'AlreadyExists';
}

/** The server has forgotten that version (HTTP 410): list again. */
export function isExpired(error: unknown): boolean {
  return error instanceof KubeError && error.status === 410;
}

/** The object itself is at fault: trying again without changing it cannot help. */
export function isInvalid(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 422 || error.status === 400);
}

/** Milliseconds to stay away as the server asked, if it did. */
export function retryAfterMsOf(error: unknown): number | undefined {
  return error instanceof KubeError ? error.retryAfterMs : undefined;
}
