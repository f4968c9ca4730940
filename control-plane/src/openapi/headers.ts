/** Headers that many answers and requests have, described once. */
export const HEADERS = {
  ETag: {
    description: 'The strong tag of this representation; send it in If-None-Match or If-Match',
    schema: { type: 'string' as const },
    example: '"oq8bJ4c0Cw7h1cGQbq9mFvQ1m2s"',
  },
  RateLimit: {
    description: 'What is left of the caller’s limits (r) and in how many seconds they begin anew (t)',
    schema: { type: 'string' as const },
    example: '"person";r=587;t=41, "tenant";r=5980;t=41',
  },
  RateLimitPolicy: {
    description: 'The limits that count for this call: calls (q) in a window of seconds (w)',
    schema: { type: 'string' as const },
    example: '"person";q=600;w=60, "tenant";q=6000;w=60',
  },
  RetryAfter: { description: 'Seconds to wait', schema: { type: 'integer' as const }, example: 7 },
};

const key = { type: 'string' as const, minLength: 1, maxLength: 200, pattern: '^[\\x21-\\x7e]{1,200}$' };
const tag = { type: 'string' as const, maxLength: 1000 };

export const PARAMETERS = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header' as const,
    required: false,
    description:
      'Any text of your own, the same for every repetition of one wish: it then has one effect, and repetitions get the first answer for 24 hours',
    schema: key,
  },
  NeededIdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header' as const,
    required: true,
    description: 'Any text of your own, the same for every repetition of one wish. Kept for good, as what it brings is',
    schema: key,
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header' as const,
    required: false,
    description: 'The ETag of what you have read: when it has changed meanwhile, nothing is written (412)',
    schema: tag,
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header' as const,
    required: false,
    description: 'The ETag of what you have: when it is still that, you get 304 and no body',
    schema: tag,
  },
  LastEventId: {
    name: 'Last-Event-ID',
    in: 'header' as const,
    required: false,
    description: 'The id of the last event you have, as browsers send it when they connect anew',
    schema: { type: 'string' as const, pattern: '^\\d{1,18}$' },
  },
};
