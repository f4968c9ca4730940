/** Days a key lives when nobody says how long, and at most. */
export const DEFAULT_KEY_DAYS = 365;
export const MAX_KEY_DAYS = 730;
const DAY_MS = 86_400_000;

export type Expiry = { readonly expiresAt: Date } | { readonly fault: string };

/** When a key that is made now ends. */
export function keyExpiry(asked: string | undefined, now: Date): Expiry {
  if (asked === undefined) return { expiresAt: new Date(now.getTime() + DEFAULT_KEY_DAYS * DAY_MS) };
  const expiresAt = new Date(asked);
  if (expiresAt.getTime() <= now.getTime()) return { fault: 'lies in the past' };
  if (expiresAt.getTime() > now.getTime() + MAX_KEY_DAYS * DAY_MS) {
    return { fault: `is further away than the ${MAX_KEY_DAYS} days a key may live` };
  }
  return { expiresAt };
}
