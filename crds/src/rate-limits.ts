import { z } from 'zod';

const MAX_REQUESTS = 1_000_000;
const MAX_TOKENS = 1_000_000_000;

const requests = z.int().min(1).max(MAX_REQUESTS).optional();
const tokens = z.int().min(1).max(MAX_TOKENS).optional();

/** What may pass a tenant's gateway in a minute. A burst after a pause may take a whole minute's worth at once. */
export const RateLimits = z.object({
  requestsPerMinute: requests.describe('Requests of all users and keys together. Absent: no limit.'),
  tokensPerMinute: tokens.describe('Tokens of all users and keys together, input and output. Absent: no limit.'),
  userRequestsPerMinute: requests.describe('Requests of each user. A key that belongs to nobody counts as a user.'),
  userTokensPerMinute: tokens.describe('Tokens of each user, input and output. Absent: no limit.'),
});
export type RateLimits = z.output<typeof RateLimits>;
