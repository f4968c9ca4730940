import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { SigningKey } from './signing-keys.ts';

/** Seconds a logout token is good for; the specification advises two minutes. */
const LIFETIME_SECONDS = 120;
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** What a chat is told: this person has signed out, or, where `sid` is given, this sign-in of theirs. */
export async function logoutToken(
  key: SigningKey,
  about: { readonly issuer: string; readonly clientId: string; readonly personId: string; readonly sid: string | null },
): Promise<string> {
  const claims = { events: { [EVENT]: {} }, ...(about.sid === null ? {} : { sid: about.sid }) };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'logout+jwt' })
    .setIssuer(about.issuer)
    .setAudience(about.clientId)
    .setSubject(about.personId)
    .setIssuedAt()
    .setExpirationTime(`${LIFETIME_SECONDS}s`)
    .setJti(randomUUID())
    .sign(await importJWK(key.jwk, 'RS256'));
}
