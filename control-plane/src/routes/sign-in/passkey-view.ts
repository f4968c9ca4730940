import { z } from 'zod';
import type { Passkey } from '../../identity/passkey/passkeys.ts';

/** Options for the browser as WebAuthn defines them; pages hand them on as they are. */
export const PasskeyOptionsView = z
  .looseObject({ challenge: z.string() })
  .meta({ id: 'PasskeyOptions', description: 'Options of WebAuthn in JSON, to be handed to the browser as they are' });

export const PasskeyView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Passkey' });

export function passkeyView({ id, name, createdAt, lastUsedAt }: Passkey): z.input<typeof PasskeyView> {
  return { id, name, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null };
}
