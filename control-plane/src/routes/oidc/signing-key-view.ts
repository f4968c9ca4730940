import { z } from 'zod';
import type { SigningKey } from '../../oidc/signing-keys.ts';

/** A key of the OpenID provider, without anything that could sign. */
export const SigningKeyView = z
  .strictObject({
    kid: z.string().meta({ description: 'As in /oidc/jwks' }),
    signs: z.boolean().meta({ description: 'Whether new tokens are signed with it; others only verify' }),
    createdAt: z.iso.datetime(),
    signsFrom: z.iso.datetime(),
  })
  .meta({ id: 'SigningKey' });

export function signingKeyView({ kid, createdAt, signsFrom }: SigningKey, signs: boolean) {
  return { kid, signs, createdAt: createdAt.toISOString(), signsFrom: signsFrom.toISOString() };
}
