import { z } from 'zod';
import type { PendingSignIn } from './sign-in.ts';

const STORAGE_KEY = 'pending-sign-in';

const Stored = z.object({
  status: z.literal('second_factor_required'),
  pendingToken: z.string(),
  methods: z.array(z.enum(['totp', 'passkey', 'recovery'])),
  expiresAt: z.string(),
});

/** Keeps a sign-in that waits for its second step, in this tab only: a reload of the page must not lose it. */
export function keepPendingSignIn(pending: PendingSignIn): void {
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(pending));
}

/** The sign-in that a visit to another service came to, as the address of the second step carries it. */
export function pendingFromFragment(fragment: URLSearchParams): PendingSignIn | undefined {
  const parsed = Stored.safeParse({
    status: 'second_factor_required',
    pendingToken: fragment.get('token'),
    methods: fragment.get('methods')?.split(','),
    expiresAt: fragment.get('expires_at'),
  });
  return parsed.data;
}

/** The sign-in that waits for its second step, if there is one. */
export function pendingSignIn(): PendingSignIn | undefined {
  const text = sessionStorage.getItem(STORAGE_KEY);
  const parsed = text === null ? undefined : Stored.safeParse(JSON.parse(text));
  return parsed?.data;
}

/** It is complete, or given up. */
export function forgetPendingSignIn(): void {
  sessionStorage.removeItem(STORAGE_KEY);
}
