import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY_BYTES = 32;
/** Of GCM: 96 bits, as NIST SP 800-38D recommends. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of what is sealed, so that another form can come later. */
const FORM = 1;

/**
 * Keeps secrets that have to be read again: sealed with AES-256-GCM under a key of their own for each purpose, so that
 * nothing sealed for one can be opened as another. The keys are derived (HKDF, RFC 5869) from ENCRYPTION_KEY.
 */
export type Vault = {
  /** `context` ties the sealed text to its row: it opens only with the same one. */
  readonly seal: (purpose: string, plaintext: string, context?: string) => Buffer;
  /** @throws Error when it was sealed under another key, purpose or context, or was changed */
  readonly open: (purpose: string, sealed: Buffer, context?: string) => string;
  /** HMAC-SHA-256: for short codes, which a bare hash would not hide. */
  readonly mac: (purpose: string, text: string) => Buffer;
};

/** @param secret at least 32 characters nobody can guess */
export function openVault(secret: string): Vault {
  const keys = new Map<string, Buffer>();
  const keyOf = (use: 'seal' | 'mac', purpose: string) => {
    const info = `cloudfreedom/${use}/${purpose}`;
    const known = keys.get(info);
    if (known !== undefined) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, '', info, KEY_BYTES));
    keys.set(info, key);
    return key;
  };
  return {
    seal: (purpose, plaintext, context = '') => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyOf('seal', purpose), nonce).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(FORM), nonce, cipher.getAuthTag(), sealed]);
    },
    open: (purpose, sealed, context = '') => {
      if (sealed[0] !== FORM) throw new Error('what is to be opened was not sealed by this vault');
      const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
      const tag = sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', keyOf('seal', purpose), nonce).setAAD(Buffer.from(context));
      decipher.setAuthTag(tag);
      const rest = sealed.subarray(1 + NONCE_BYTES + TAG_BYTES);
      return Buffer.concat([decipher.update(rest), decipher.final()]).toString('utf8');
    },
    mac: (purpose, text) => createHmac('sha256', keyOf('mac', purpose)).update(text).digest(),
  };
}

/** Compares two hashes in a time that tells nothing about them. */
export function equalHashes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
