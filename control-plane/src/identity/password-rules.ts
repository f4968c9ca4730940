import { z } from 'zod';

export const MIN_PASSWORD_LENGTH = 12;
/** Long enough for any sentence; hashing a megabyte would be a gift to whoever sends it. */
export const MAX_PASSWORD_LENGTH = 200;
/** Own words shorter than this are in many a good password by chance. */
const MIN_OWN_WORD_LENGTH = 4;
/** What must be left of a password once the owner's own words are taken out. */
const MIN_REMAINDER_LENGTH = 6;
/** A password that repeats a piece of at most this length is as weak as the piece. */
const LONGEST_REPEATED_PIECE = 4;

/** A new password in a request. Length only: no rule on which characters (they make passwords worse). */
export const NewPassword = z
  .string()
  .min(MIN_PASSWORD_LENGTH, `must have at least ${MIN_PASSWORD_LENGTH} characters; a short sentence is a good one`)
  .max(MAX_PASSWORD_LENGTH)
  .meta({ description: 'At least 12 characters; no rule says which' });

/** A password that is compared, never stored: anything may be typed. */
export const TypedPassword = z.string().min(1).max(MAX_PASSWORD_LENGTH);

/** What people type when asked for twelve characters; compared without case, spaces and trailing digits or marks. */
const COMMON = new Set(
  `password passwordpassword passwort passwortpasswort mypassword meinpasswort kennwort administrator changeme
  letmeinplease letmein iloveyou ichliebedich qwertyuiop qwertyuiopasdf qwertyuiopasdfgh qwertzuiop qwertzuiopasdf
  qwertzuiopü asdfghjkl asdfghjklöä yxcvbnm zxcvbnm asdfghjklzxcvbnm abcdefghijkl abcdefghijklm abcdefghijklmn
  welcome willkommen welcomehome sommer sommerzeit winter winterzeit frühling herbst geheim geheimgeheim
  cloudfreedom correcthorsebatterystaple trustno superman batman starwars schatzi liebling fussball football
  baseball monkey dragon master sunshine princess hallohallo hallowelt helloworld deutschland berlin hamburg münchen
  adminadmin rootroot testtest testtesttest passwd passwdpasswd`.split(/\s+/),
);
const RUNS = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertzuiopasdfghjklyxcvbnm',
  'qwertyuiopasdfghjklzxcvbnm',
];

/**
 * Decides whether a password of the right length is one that an attacker tries early.
 * @returns what is wrong with it, or undefined
 */
export function weaknessOf(password: string, own: { name: string; email: string }): string | undefined {
  const plain = password.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, '');
  if (isRepetition(plain)) return 'repeats one short piece; choose something longer that does not';
  if (isRun(plain)) return 'is a row of the keyboard or the alphabet; choose something else';
  if (COMMON.has(plain) || COMMON.has(plain.replaceAll(/[^\p{L}]+$|^[^\p{L}]+/gu, ''))) {
    return 'is among the first that are tried; choose something else';
  }
  if (withoutOwnWords(plain, own).length < MIN_REMAINDER_LENGTH) {
    return 'is little more than your own name or address; choose something else';
  }
  return undefined;
}

function isRepetition(plain: string): boolean {
  for (let length = 1; length <= LONGEST_REPEATED_PIECE; length += 1) {
    const piece = plain.slice(0, length);
    if (piece.repeat(Math.ceil(plain.length / length)).slice(0, plain.length) === plain) return true;
  }
  return false;
}

function isRun(plain: string): boolean {
  const backwards = [...plain].reverse().join('');
  return RUNS.some((run) => run.includes(plain) || run.includes(backwards));
}

function withoutOwnWords(plain: string, { name, email }: { name: string; email: string }): string {
  return `${name} ${email}`
    .toLowerCase()
    .split(/[\s@._+-]+/)
    .filter((word) => word.length >= MIN_OWN_WORD_LENGTH)
    .reduce((rest, word) => rest.replaceAll(word, ''), plain)
    .replaceAll(/[@._+-]/g, '');
}
