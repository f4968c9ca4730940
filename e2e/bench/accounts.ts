/**
 * Whether the clock tells who has an account: sign-in, registration and password reset for addresses that are known and
 * unknown, in turns on one control plane with the real cost of a hash; medians and their ratio. No test fails by it: it
 * shows the order of magnitude to whoever changes these paths.
 *
 *   node e2e/bench/accounts.ts [rounds]     prints one line of JSON as its last
 */
import { openPool } from '@cloudfreedom/control-plane/database/pool.ts';
import { HASH_COST, hashPassword } from '@cloudfreedom/control-plane/identity/password-hash.ts';
import { currentTerms } from '@cloudfreedom/control-plane/privacy/terms.ts';
import { startControlPlane } from '@cloudfreedom/control-plane/start.ts';
import { progress } from '../process/progress.ts';
import { load, quantile, round } from './ledger/load.ts';

const PORTAL_URL = 'https://portal.example.test';
const PASSWORD = 'a sentence of four words';

const { version: termsVersion } = await currentTerms();
const rounds = Number(process.argv[2] ?? 40);
const say = progress('bench-accounts');
const controlPlane = await startControlPlane({
  adminKey: 'admin-key-of-the-bench',
  operatorKey: 'operator-key-of-the-bench',
  portalUrl: PORTAL_URL,
  // Each call comes from an address of its own, so that no throttle is what is measured.
  trustedProxies: ['127.0.0.0/8'],
  checkAnswers: false,
});
const pool = openPool({ url: controlPlane.databaseUrl, maxConnections: 2, onError: () => {} });
try {
  const hash = await hashPassword(PASSWORD, HASH_COST);
  await pool.query(
    `insert into person (email, name, email_verified_at, password_hash)
     select 'known-' || n || '@example.test', 'Person', now(), $2 from generate_series(1, $1) n`,
    [rounds, hash],
  );
  const results: Record<string, number[]> = {};
  let calls = 0;
  const measure = async (name: string, path: string, body: object, expected: number) => {
    calls += 1;
    const begin = performance.now();
    const { status } = await fetch(controlPlane.url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: PORTAL_URL,
        'x-forwarded-for': `10.${calls >> 16}.${(calls >> 8) & 255}.${calls & 255}`,
      },
      body: JSON.stringify(body),
    });
    const took = performance.now() - begin;
    if (status !== expected) throw new Error(`${name} was answered ${status}`);
    results[name] = [...(results[name] ?? []), took];
  };
  say(`${rounds} rounds, load ${load()}`);
  for (let number = 1; number <= rounds; number += 1) {
    for (const who of number % 2 === 0 ? ['known', 'unknown'] : ['unknown', 'known']) {
      const email = `${who}-${number}@example.test`;
      await measure(`signIn ${who}`, '/v1/account/sessions', { email, password: 'not the password' }, 401);
      await measure(`reset ${who}`, '/v1/account/password-resets', { email }, 202);
      const registration = { name: 'P', email, password: PASSWORD, language: 'en', termsVersion };
      await measure(`register ${who}`, '/v1/account/registrations', registration, 202);
    }
  }
  const summary = Object.fromEntries(
    ['signIn', 'reset', 'register'].map((name) => {
      const median = (who: string) => quantile(results[`${name} ${who}`] ?? [], 0.5);
      const ratio = round(median('known') / median('unknown'));
      return [name, { knownMs: round(median('known')), unknownMs: round(median('unknown')), ratio }];
    }),
  );
  console.log(JSON.stringify({ rounds, load: load(), ...summary }));
} finally {
  await pool.end();
  await controlPlane.stop();
}
