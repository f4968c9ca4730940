import { generateKeyPairSync, type JsonWebKey, randomUUID, sign } from 'node:crypto';

/** A key that signs id_tokens with RS256. */
export type SigningKey = { readonly jwk: JsonWebKey; readonly sign: (claims: object) => string };

/** A fresh key. Made without a library, so that the image of this server is Node and these files. */
export function createSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' },
    sign: (claims) => {
      const input = `${encode({ alg: 'RS256', typ: 'JWT', kid })}.${encode(claims)}`;
      return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
    },
  };
}

/** A token that claims to need no signature. */
export function unsigned(claims: object): string {
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`;
}

/** Signed by `key` under the name of `named`: a forgery that only the signature gives away. */
export function forged(key: SigningKey, claims: object, named: SigningKey): string {
  const header = encode({ alg: 'RS256', typ: 'JWT', kid: named.jwk.kid });
  const [, payload, signature] = key.sign(claims).split('.');
  return `${header}.${payload}.${signature}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
