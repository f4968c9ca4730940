import type pg from 'pg';
import { z } from 'zod';
import { hashToken, newToken } from '../../crypto/token.ts';

/** Days after which a session ends however often it is used, and without use. */
export const SESSION_DAYS = 30;
export const IDLE_DAYS = 7;
/** Sessions a person may have; the oldest ends when another begins. */
export const MAX_SESSIONS = 20;
/** Seconds between two notes of "last seen". */
const SEEN_EVERY_SECONDS = 300;
const MAX_USER_AGENT_LENGTH = 300;

/** A way in which a person proves who they are. */
export const SignInMethod = z.enum([
  'password',
  'totp',
  'recovery',
  'passkey',
  'google',
  'github',
  'gitlab',
  /** The link of a confirmation mail, right after registering. */
  'confirmation',
]);
export type SignInMethod = z.output<typeof SignInMethod>;

/** A person who is signed in, and their session. */
export type SignedIn = {
  readonly person: {
    readonly id: string;
    readonly email: string;
    readonly name: string;
    readonly language: 'de' | 'en';
    readonly platformAdmin: boolean;
  };
  readonly session: {
    readonly id: string;
    readonly methods: readonly SignInMethod[];
    readonly authenticatedAt: Date;
  };
};

/** Where a session is opened from. */
export type Client = { readonly address: string | undefined; readonly userAgent: string | undefined };

/** Opens a session for a person who has proven enough. The token is told this once; the caller puts it into the cookie. */
export async function openSession(
  client: pg.ClientBase | pg.Pool,
  personId: string,
  methods: readonly SignInMethod[],
  from: Client,
): Promise<{ readonly id: string; readonly token: string }> {
  const token = newToken();
  const { rows } = await client.query<{ id: string }>(
    `with surplus as (
       update session set revoked_at = now() where id in (
         select id from session where person_id = $1 and revoked_at is null and expires_at > now()
         order by last_seen_at desc offset $7))
     insert into session (person_id, token_sha256, methods, address, user_agent, expires_at)
     values ($1, $2, $3, $4, $5, now() + make_interval(days => $6)) returning id`,
    [
      personId,
      hashToken(token),
      methods,
      from.address ?? null,
      from.userAgent?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
      SESSION_DAYS,
      MAX_SESSIONS - 1,
    ],
  );
  if (rows[0] === undefined) throw new Error('the session was not stored');
  return { id: rows[0].id, token };
}

const Row = z.object({
  id: z.string(),
  person_id: z.string(),
  email: z.string(),
  name: z.string(),
  language: z.enum(['de', 'en']),
  platform_admin: z.boolean(),
  methods: z.array(SignInMethod),
  authenticated_at: z.date(),
  seen_long_ago: z.boolean(),
});

/** Whose token this is; undefined when it is unknown, ended or revoked, or its person may not sign in any more. */
export async function readSession(pool: pg.Pool, token: string): Promise<SignedIn | undefined> {
  const { rows } = await pool.query({
    name: 'read_session',
    text: `select s.id, s.person_id, p.email, p.name, p.language, p.platform_admin, s.methods, s.authenticated_at,
        s.last_seen_at < now() - make_interval(secs => ${SEEN_EVERY_SECONDS}) as seen_long_ago
      from session s join person p on p.id = s.person_id
      where s.token_sha256 = $1 and s.revoked_at is null and s.expires_at > now()
        and s.last_seen_at > now() - make_interval(days => ${IDLE_DAYS}) and p.state = 'active'`,
    values: [hashToken(token)],
  });
  if (rows[0] === undefined) return undefined;
  const row = Row.parse(rows[0]);
  if (row.seen_long_ago) await pool.query('update session set last_seen_at = now() where id = $1', [row.id]);
  return {
    person: {
      id: row.person_id,
      email: row.email,
      name: row.name,
      language: row.language,
      platformAdmin: row.platform_admin,
    },
    session: { id: row.id, methods: row.methods, authenticatedAt: row.authenticated_at },
  };
}

/** Ends one session of a person. @returns whether it was live */
export async function revokeSession(
  client: pg.ClientBase | pg.Pool,
  personId: string,
  sessionId: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    'update session set revoked_at = now() where id = $2 and person_id = $1 and revoked_at is null',
    [personId, sessionId],
  );
  return rowCount === 1;
}

/** Ends all sessions of a person but, where one is given, that one. @returns how many ended */
export async function revokeSessions(
  client: pg.ClientBase | pg.Pool,
  personId: string,
  except: string | null = null,
): Promise<number> {
  const { rowCount } = await client.query(
    `update session set revoked_at = now()
     where person_id = $1 and revoked_at is null and expires_at > now() and id is distinct from $2`,
    [personId, except],
  );
  return rowCount ?? 0;
}

/** Notes that the person of a session has just proven who they are once more. */
export async function renewAuthentication(client: pg.ClientBase | pg.Pool, sessionId: string): Promise<void> {
  await client.query('update session set authenticated_at = now() where id = $1 and revoked_at is null', [sessionId]);
}
