import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { type FieldFault, KubeError } from './kube-error.ts';

/** Milliseconds we stay away at most, whatever a server asks for. */
const MAX_RETRY_AFTER_MS = 300_000;
/** Characters of an answer that is no Status which an error message carries. */
const EXCERPT_LENGTH = 200;

/** A `meta/v1` Status, as far as the runtime reads it. */
const statusSchema = z.object({
  kind: z.literal('Status'),
  code: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  details: z
    .object({
      retryAfterSeconds: z.number().optional(),
      causes: z
        .array(
          z.object({ field: z.string().optional(), reason: z.string().optional(), message: z.string().optional() }),
        )
        .optional(),
    })
    .optional(),
});

/** The error that an answer with a status other than 2xx means. `text` may be a Status, HTML of some proxy, or nothing. */
export function kubeErrorOf(statusCode: number, headers: IncomingHttpHeaders, text: string): KubeError {
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const parsed = statusSchema.safeParse(parseJson(text));
  if (parsed.success) return errorOfStatus(parsed.data, statusCode, retryAfterMs);
  const excerpt = text.trim().slice(0, EXCERPT_LENGTH);
  return new KubeError({
    status: statusCode,
    reason: REASONS[statusCode] ?? 'Unknown',
    message: `HTTP ${statusCode}${excerpt === '' ? '' : `: ${excerpt}`}`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** The error that the object of an ERROR line in a watch means; the stream is over, whatever it says. */
export function kubeErrorOfWatchLine(object: unknown): KubeError {
  const parsed = statusSchema.safeParse(object);
  if (parsed.success) return errorOfStatus(parsed.data, 500, undefined);
  return new KubeError({ status: 500, reason: 'Unknown', message: 'the watch ended with an error that is no Status' });
}

/** What servers mean that say only a number. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function errorOfStatus(status: z.infer<typeof statusSchema>, code: number, headerMs: number | undefined): KubeError {
  const seconds = status.details?.retryAfterSeconds;
  const retryAfterMs = headerMs ?? (seconds ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined);
  const faults: FieldFault[] = (status.details?.causes ?? []).map(({ field, reason, message }) => ({
    field: field ?? '',
    reason: reason ?? '',
    message: message ?? '',
  }));
  const number = status.code ?? code;
  return new KubeError({
    status: number,
    reason: status.reason ?? REASONS[number] ?? 'Unknown',
    message: status.message ?? `HTTP ${number}`,
    faults,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Reads a Retry-After header in either form: seconds or an HTTP date. */
export function parseRetryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const waitMs = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
