import { z } from 'zod';
import { IncompleteIdentity, type ProvedIdentity } from './provider.ts';
import type { ProviderName } from './settings.ts';

const MAX_NAME_LENGTH = 100;

const Told = z.object({
  subject: z.string().min(1).max(255),
  email: z.email().max(254),
  emailVerified: z.boolean(),
  name: z.string(),
});

/** What a provider told, held to what we store. @throws IncompleteIdentity when it cannot be an identity of ours */
export function provedIdentity(provider: ProviderName, told: z.input<typeof Told>): ProvedIdentity {
  const parsed = Told.safeParse(told);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new IncompleteIdentity(`${provider} told something else than an identity: ${fields}`);
  }
  const { subject, email, emailVerified, name } = parsed.data;
  return { provider, subject, email, emailVerified, name: oneLine(name) || (email.split('@')[0] ?? email) };
}

function oneLine(name: string): string {
  return name
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_NAME_LENGTH);
}
