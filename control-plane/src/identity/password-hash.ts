import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** What scrypt is made to cost: 128 * 2^ln * r bytes of memory, and time in proportion to 2^ln * r * p. */
export type HashCost = { readonly ln: number; readonly r: number; readonly p: number };

/** 64 MiB and some 200 ms of one core: OWASP's second recommendation, for servers that count their memory. */
export const HASH_COST: HashCost = { ln: 16, r: 8, p: 2 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Costs beyond this are no hash of ours: whatever wrote them, computing them would take the process down. */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{22,86})$/;

/** Hashes with a fresh salt. The form is PHC's: `$scrypt$ln=16,r=8,p=2$<salt>$<hash>`, base64 without padding. */
export async function hashPassword(password: string, cost: HashCost): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, cost, HASH_BYTES);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${base64(salt)}$${base64(hash)}`;
}

/** @throws when `stored` is no hash of this form */
export async function matchesHash(password: string, stored: string): Promise<boolean> {
  const { cost, salt, hash } = parseHash(stored);
  return timingSafeEqual(await derive(password, salt, cost, hash.length), hash);
}

/** Whether it was made with another cost than is asked for today. */
export function isStale(stored: string, { ln, r, p }: HashCost): boolean {
  const { cost } = parseHash(stored);
  return cost.ln !== ln || cost.r !== r || cost.p !== p;
}

function parseHash(stored: string) {
  const [, ln, r, p, salt, hash] = FORM.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('a stored password hash is not of the known form');
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

function derive(password: string, salt: Buffer, { ln, r, p }: HashCost, length: number): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: MAX_MEMORY_BYTES };
  // One spelling for what looks the same: keyboards differ in how they send an umlaut.
  const text = password.normalize('NFKC');
  return new Promise((resolve, reject) => {
    scrypt(text, salt, length, options, (error, hash) => (error === null ? resolve(hash) : reject(error)));
  });
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
