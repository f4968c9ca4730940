import { type KeyObject, randomUUID } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { KnownScopes, type Scope } from './scopes.ts';

/** Seconds a service token lives. */
export const TOKEN_SECONDS = 900;
/** The one algorithm, told to the verifier: what a token's own header says decides nothing. */
const ALGORITHM = 'EdDSA';
/** RFC 9068: a token of this kind is taken for no other, such as a person's id_token. */
const TYPE = 'at+jwt';

/** What signs. */
export type TokenSigner = { readonly kid: string; readonly privateKey: KeyObject };

export type TokenSubject = {
  readonly keyId: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
};

/** Who gives a token, for whom. */
export type TokenParties = { readonly issuer: string; readonly audience: string };

const Claims = z.object({
  sub: z.uuid(),
  tenant: z.string(),
  scope: z
    .string()
    .transform((text) => text.split(' '))
    .pipe(KnownScopes),
});

/** A token that speaks for a service key until it ends. */
export async function signServiceToken(
  { kid, privateKey }: TokenSigner,
  { issuer, audience }: TokenParties,
  { keyId, tenant, scopes }: TokenSubject,
  now: Date,
): Promise<{ token: string; expiresAt: Date }> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const token = await new SignJWT({ client_id: keyId, tenant, scope: scopes.join(' ') })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(keyId)
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + TOKEN_SECONDS)
    .sign(privateKey);
  return { token, expiresAt: new Date((issuedAt + TOKEN_SECONDS) * 1000) };
}

/** Whom a token speaks for; undefined: it is not one of ours, not for these parties, or over. */
export async function verifyServiceToken(
  token: string,
  publicKeyOf: (kid: string) => Promise<KeyObject | undefined>,
  { issuer, audience }: TokenParties,
  now: Date,
): Promise<TokenSubject | undefined> {
  try {
    const keyOf = async ({ kid }: { kid?: string }) => {
      const key = kid === undefined ? undefined : await publicKeyOf(kid);
      if (key === undefined) throw new errors.JWKSNoMatchingKey();
      return key;
    };
    const { payload } = await jwtVerify(token, keyOf, {
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer,
      audience,
      requiredClaims: ['exp', 'iat', 'sub', 'jti', 'scope', 'tenant'],
      currentDate: now,
    });
    const claims = Claims.parse(payload);
    return { keyId: claims.sub, tenant: claims.tenant, scopes: claims.scope };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
