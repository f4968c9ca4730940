import { Secret, TOTP } from 'otpauth';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openVault } from '../../crypto/vault.ts';
import { inTransaction, openPool } from '../../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { newPerson } from '../testing/people.ts';
import { enrolledSecondFactors } from './enrolled.ts';
import { issueRecoveryCodes, RECOVERY_CODES, recoveryCodesLeft, useRecoveryCode } from './recovery-codes.ts';
import { confirmTotpEnrolment, removeTotp, startTotpEnrolment, useTotpCode } from './totp.ts';

const vault = openVault('a secret of the tests, with more than thirty-two characters');
const NOW = new Date('2026-11-30T10:00:10Z');
const STEP_MS = 30_000;

let databases: TestDatabases;
let pool: pg.Pool;
let person: { id: string; email: string; name: string };

beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  pool = openPool({ url: await databases.clone(), onError: () => {} });
  person = await newPerson(pool, 'owner@example.test');
  return () => pool.end();
});

const after = (steps: number) => new Date(NOW.getTime() + steps * STEP_MS);

function codeAt(secret: string, at: Date): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at.getTime() });
}

/** Enrols an app with the code of the step before NOW, so that NOW's own is still fresh. */
async function enrol(owner = person): Promise<string> {
  const enrolment = await startTotpEnrolment(pool, vault, owner);
  if (enrolment === undefined) throw new Error('an app is enrolled already');
  const confirmed = await inTransaction(pool, (client) =>
    confirmTotpEnrolment(client, vault, owner.id, codeAt(enrolment.secret, after(-1)), NOW),
  );
  expect(confirmed).toBe(true);
  return enrolment.secret;
}

const use = (code: string, at = NOW, owner = person) => useTotpCode(pool, vault, owner.id, code, at);

test('the square for the app names the product and the person, and holds the secret', async () => {
  const enrolment = await startTotpEnrolment(pool, vault, person);
  const url = new URL(enrolment?.otpauthUrl ?? '');
  expect(decodeURIComponent(url.pathname)).toBe('/CloudFreedom:owner@example.test');
  expect(Object.fromEntries(url.searchParams)).toMatchObject({ secret: enrolment?.secret, digits: '6', period: '30' });
});

test('an app counts from its first right code on, and its secret is not in the database in clear', async () => {
  const enrolment = await startTotpEnrolment(pool, vault, person);
  const secret = enrolment?.secret ?? '';
  expect(await enrolledSecondFactors(pool, person.id)).toEqual([]);
  expect(await use(codeAt(secret, NOW))).toBe(false);
  const confirm = (code: string) =>
    inTransaction(pool, (client) => confirmTotpEnrolment(client, vault, person.id, code, NOW));
  expect(await confirm(codeAt(secret, after(5)))).toBe(false);
  expect(await confirm(codeAt(secret, NOW))).toBe(true);
  expect(await enrolledSecondFactors(pool, person.id)).toEqual(['totp']);
  const { rows } = await pool.query('select secret from totp');
  expect(rows[0].secret.toString('latin1')).not.toContain(secret);
});

test('the code that confirmed is used up with it, and a second app needs the first to be removed', async () => {
  const secret = await enrol();
  expect(await use(codeAt(secret, after(-1)))).toBe(false);
  expect(await startTotpEnrolment(pool, vault, person)).toBeUndefined();
  expect(await inTransaction(pool, (client) => removeTotp(client, person.id))).toBe(true);
  expect(await startTotpEnrolment(pool, vault, person)).toBeDefined();
});

test('an enrolment that waited too long is not confirmed', async () => {
  const enrolment = await startTotpEnrolment(pool, vault, person);
  await pool.query("update totp set created_at = now() - interval '16 minutes'");
  const code = codeAt(enrolment?.secret ?? '', NOW);
  expect(await inTransaction(pool, (client) => confirmTotpEnrolment(client, vault, person.id, code, NOW))).toBe(false);
});

test('a clock may be one step off and no more', async () => {
  const secret = await enrol();
  expect(await use(codeAt(secret, after(4)), after(6))).toBe(false);
  expect(await use(codeAt(secret, after(8)), after(6))).toBe(false);
  expect(await use(codeAt(secret, after(5)), after(6))).toBe(true);
  expect(await use(codeAt(secret, after(7)), after(6))).toBe(true);
});

test('a code is good once, and one older than it not at all', async () => {
  const secret = await enrol();
  expect(await use(codeAt(secret, after(1)))).toBe(true);
  expect(await use(codeAt(secret, after(1)))).toBe(false);
  expect(await use(codeAt(secret, NOW))).toBe(false);
});

test('of twenty uses of one code at once, one counts', async () => {
  const secret = await enrol();
  const code = codeAt(secret, NOW);
  const answers = await Promise.all(Array.from({ length: 20 }, () => use(code)));
  expect(answers.filter(Boolean)).toHaveLength(1);
});

test('the code of another person is refused, and their sealed secret opens for nobody else', async () => {
  const other = await newPerson(pool, 'other@example.test');
  await enrol();
  const secretOfOther = await enrol(other);
  expect(await use(codeAt(secretOfOther, NOW))).toBe(false);
  await pool.query('update totp set secret = (select secret from totp where person_id = $2) where person_id = $1', [
    person.id,
    other.id,
  ]);
  await expect(use(codeAt(secretOfOther, NOW))).rejects.toThrow();
});

const issue = (owner = person) => inTransaction(pool, (client) => issueRecoveryCodes(client, vault, owner.id));

test('ten different recovery codes, each good once, however they are typed', async () => {
  const codes = await issue();
  expect(new Set(codes).size).toBe(RECOVERY_CODES);
  const [first = '', second = ''] = codes;
  expect(await useRecoveryCode(pool, vault, person.id, ` ${first.toLowerCase().replace('-', ' ')} `)).toBe(true);
  expect(await useRecoveryCode(pool, vault, person.id, first)).toBe(false);
  expect(await useRecoveryCode(pool, vault, person.id, second.replaceAll('0', 'o').replaceAll('1', 'l'))).toBe(true);
  expect(await recoveryCodesLeft(pool, person.id)).toBe(RECOVERY_CODES - 2);
});

test('of twenty uses of one recovery code at once, one counts', async () => {
  const [code = ''] = await issue();
  const answers = await Promise.all(Array.from({ length: 20 }, () => useRecoveryCode(pool, vault, person.id, code)));
  expect(answers.filter(Boolean)).toHaveLength(1);
});

test('fresh recovery codes end the old ones, and another person’s are refused', async () => {
  const other = await newPerson(pool, 'other@example.test');
  const [old = ''] = await issue();
  const [ofOther = ''] = await issue(other);
  const [fresh = ''] = await issue();
  expect(await useRecoveryCode(pool, vault, person.id, old)).toBe(false);
  expect(await useRecoveryCode(pool, vault, person.id, ofOther)).toBe(false);
  expect(await useRecoveryCode(pool, vault, person.id, fresh)).toBe(true);
});

test('recovery codes are not stored in clear, and alone they ask for no second step', async () => {
  const codes = await issue();
  const { rows } = await pool.query<{ hmac: Buffer }>('select hmac from recovery_code');
  const stored = rows.map(({ hmac }) => hmac.toString('latin1')).join();
  for (const code of codes) expect(stored).not.toContain(code.replace('-', ''));
  expect(await enrolledSecondFactors(pool, person.id)).toEqual([]);
  await enrol();
  expect(await enrolledSecondFactors(pool, person.id)).toEqual(['totp', 'recovery']);
});
