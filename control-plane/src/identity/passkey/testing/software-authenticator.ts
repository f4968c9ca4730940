import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { AuthenticationResponse, RegistrationResponse } from '../responses.ts';
import { type Cbor, encodeCbor } from './cbor.ts';

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

/** What a test lets go wrong. */
export type Deviation = {
  /** The page that asks, where it is not the portal. */
  readonly origin?: string;
  /** The relying party it is for, where it is not the portal's. */
  readonly rpId?: string;
  /** Whether the device checked its user, by finger or PIN. It does, unless told otherwise. */
  readonly userVerified?: boolean;
  /** The signature counter that is claimed instead of the next one. */
  readonly counter?: number;
  /** The person the browser says it is. */
  readonly userHandle?: string | null;
};

/** An authenticator with its browser: ES256 keys in memory, one passkey for each registration. */
export class SoftwareAuthenticator {
  readonly #origin: string;
  #credential: { id: Buffer; key: KeyObject; userHandle: string; counter: number } | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** As navigator.credentials.create() would answer. */
  create(
    options: { challenge: string; rp: { id?: string | undefined }; user: { id: string } },
    deviation: Deviation = {},
  ): RegistrationResponse {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const id = randomBytes(32);
    const counter = deviation.counter ?? 1;
    this.#credential = { id, key: privateKey, userHandle: options.user.id, counter };
    const coseKey = encodeCbor(
      new Map<number, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    );
    const credentialData = Buffer.concat([Buffer.alloc(16), uint16(id.length), id, coseKey]);
    const rpId = deviation.rpId ?? options.rp.id ?? '';
    const authData = Buffer.concat([this.#authData(rpId, counter, deviation, HAS_CREDENTIAL), credentialData]);
    const attestationObject = encodeCbor(
      new Map<string, Cbor>([
        ['fmt', 'none'],
        ['attStmt', new Map<string, Cbor>()],
        ['authData', authData],
      ]),
    );
    return {
      ...this.#envelope(id),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', options.challenge, deviation),
        attestationObject: attestationObject.toString('base64url'),
        transports: ['internal'],
      },
    };
  }

  /** As navigator.credentials.get() would answer. */
  get(options: { challenge: string; rpId?: string | undefined }, deviation: Deviation = {}): AuthenticationResponse {
    const credential = this.#credential;
    if (credential === undefined) throw new Error('no passkey was made yet');
    credential.counter = deviation.counter ?? credential.counter + 1;
    const authData = this.#authData(deviation.rpId ?? options.rpId ?? '', credential.counter, deviation, 0);
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge, deviation);
    const clientDataHash = createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest();
    const signature = sign('sha256', Buffer.concat([authData, clientDataHash]), credential.key);
    return {
      ...this.#envelope(credential.id),
      response: {
        clientDataJSON,
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: deviation.userHandle === undefined ? credential.userHandle : deviation.userHandle,
      },
    };
  }

  #envelope(id: Buffer) {
    const text = id.toString('base64url');
    return { id: text, rawId: text, type: 'public-key' as const, clientExtensionResults: {} };
  }

  #clientData(type: string, challenge: string, { origin = this.#origin }: Deviation): string {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })).toString('base64url');
  }

  #authData(rpId: string, counter: number, { userVerified = true }: Deviation, more: number): Buffer {
    const flags = USER_PRESENT | (userVerified ? USER_VERIFIED : 0) | more;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.of(flags), count]);
  }
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
