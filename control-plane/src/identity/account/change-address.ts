import type pg from 'pg';
import { hashToken, newToken } from '../../crypto/token.ts';
import { inTransaction } from '../../database/pool.ts';
import { problem } from '../../http/problem.ts';
import type { Answer, Call } from '../../http/route.ts';
import { enqueueMail, enqueueMailByAddress } from '../../mail/outbox.ts';
import { portalLink } from '../../mail/portal-link.ts';
import { adoptOwnerships } from '../../organisation/ownerships.ts';
import type { Services } from '../../services.ts';
import { THROTTLES, tooManyAttempts } from '../throttle.ts';
import { callerOf } from './caller.ts';
import { appointPlatformAdmins } from './people.ts';
import { requireRecent } from './recent.ts';
import { tokenUnknown, unacceptable } from './refusals.ts';
import { UNDO_DAYS } from './undo-address.ts';

/** Hours the link to confirm a new address works. */
export const ADDRESS_CHANGE_HOURS = 24;
const UNIQUE_VIOLATION = '23505';

type From = Pick<Call<unknown, unknown, unknown>, 'client' | 'principal'>;

/** Asks the new address for its confirmation. Nothing changes yet, and whether somebody has it is told to it alone. */
export async function requestAddressChange(
  { pool, vault, throttle, portalUrl }: Services,
  email: string,
  call: From,
): Promise<Answer> {
  const refusal = requireRecent(call);
  if (refusal !== undefined) return refusal;
  const { person } = callerOf(call);
  if (email.toLowerCase() === person.email.toLowerCase()) return unacceptable('email', 'is your address already');
  const waitMs = await throttle.attempt({ rule: THROTTLES.mailRequestAddress, subject: call.client.address ?? '' });
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const answer = { status: 202, body: { status: 'mail_sent' }, audit: { target: `person/${person.id}` } };
  if ((await throttle.attempt({ rule: THROTTLES.mailRecipient, subject: email })) > 0) return answer;
  const token = newToken();
  await inTransaction(pool, async (client) => {
    await client.query(`delete from address_change where person_id = $1 and kind = 'confirm'`, [person.id]);
    const expiresAt = await store(client, { token, personId: person.id, kind: 'confirm', email });
    const data = { link: portalLink(portalUrl, 'change-address', token), validHours: ADDRESS_CHANGE_HOURS };
    await enqueueMailByAddress(client, vault, {
      to: email,
      language: person.language,
      known: { template: 'address-taken', data: { signInLink: portalLink(portalUrl, 'sign-in') } },
      unknown: { template: 'confirm-address', data },
      expiresAt,
    });
  });
  return answer;
}

/**
 * Changes the address by the token of the mail. Only the person who asked may, so that a stranger whose mail is
 * confirmed by mistake gains nothing. The old address is told, and can undo it.
 */
export async function confirmAddressChange(
  { pool, vault, throttle, portalUrl, platformAdmins }: Services,
  token: string,
  call: From,
): Promise<Answer> {
  const waitMs = await throttle.attempt({ rule: THROTTLES.tokenAddress, subject: call.client.address ?? '' });
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const { person } = callerOf(call);
  try {
    return await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ email: string }>(
        `delete from address_change where token_sha256 = $1 and person_id = $2 and kind = 'confirm'
           and expires_at > clock_timestamp() returning email`,
        [hashToken(token), person.id],
      );
      const email = rows[0]?.email;
      if (email === undefined) return tokenUnknown();
      const { rows: locked } = await client.query<{ email: string }>(
        'select email from person where id = $1 for no key update',
        [person.id],
      );
      const before = locked[0]?.email ?? person.email;
      await client.query(
        'update person set email = $2, email_verified_at = clock_timestamp(), changed_at = now() where id = $1',
        [person.id, email],
      );
      await client.query('delete from registration where lower(email) = lower($1)', [email]);
      await client.query('delete from password_reset where lower(email) in (lower($1), lower($2))', [before, email]);
      await appointPlatformAdmins(client, platformAdmins);
      await adoptOwnerships(client, person.id);
      const undoToken = newToken();
      const expiresAt = await store(client, { token: undoToken, personId: person.id, kind: 'undo', email: before });
      await enqueueMail(client, vault, {
        to: before,
        language: person.language,
        template: 'address-changed',
        data: {
          newAddress: masked(email),
          undoLink: portalLink(portalUrl, 'change-address', undoToken, 'undo'),
          validDays: UNDO_DAYS,
        },
        expiresAt,
      });
      return { status: 204, audit: { target: `person/${person.id}` } };
    });
  } catch (error) {
    if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    return addressTaken();
  }
}

/** The 409 of somebody who has shown that the address is theirs, and has another account with it. */
export function addressTaken(): Answer {
  const detail = 'another account has this address by now; sign in there, or choose another address';
  return { status: 409, body: problem(409, 'address_taken', detail) };
}

async function store(
  client: pg.ClientBase,
  change: { token: string; personId: string; kind: 'confirm' | 'undo'; email: string },
): Promise<Date> {
  const hours = change.kind === 'undo' ? UNDO_DAYS * 24 : ADDRESS_CHANGE_HOURS;
  const { rows } = await client.query<{ expires_at: Date }>(
    `insert into address_change (token_sha256, person_id, kind, email, expires_at)
     values ($1, $2, $3, $4, clock_timestamp() + make_interval(hours => $5)) returning expires_at`,
    [hashToken(change.token), change.personId, change.kind, change.email, hours],
  );
  if (rows[0] === undefined) throw new Error('the change of address was not stored');
  return rows[0].expires_at;
}

/** Enough to recognise one's own: the old mailbox may be somebody else's by now. */
function masked(email: string): string {
  const at = email.lastIndexOf('@');
  return `${email.slice(0, 1)}…${email.slice(at)}`;
}
