import type { Logger } from 'pino';
import type { Bell } from '../events/bell.ts';
import type { Metrics } from '../http/metrics.ts';
import { clientIdOf } from './client-adapter.ts';
import type { Logout, LogoutQueue } from './logout-queue.ts';
import { logoutToken } from './logout-token.ts';
import type { SigningKey } from './signing-keys.ts';

/** Messages one process has under way: a chat that does not answer holds up only one of them. */
const SLOTS = 4;
/** Milliseconds after which a slot looks for work though nothing rang: repetitions become due silently. */
const POLL_MS = 2_000;
/** Milliseconds a chat has to answer. */
const TIMEOUT_MS = 10_000;

export type LogoutWorkerOptions = {
  readonly queue: LogoutQueue;
  readonly bell: Bell;
  readonly issuer: string;
  readonly signingKey: () => Promise<SigningKey>;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** Tells chats who has signed out, in as many processes as there are. @returns its stop, which waits for what is under way */
export function startLogoutWorker(options: LogoutWorkerOptions): () => Promise<void> {
  const { bell, log } = options;
  const stopping = new AbortController();
  const slot = async () => {
    const ear = bell.ear('cloudfreedom_logout', '');
    while (!stopping.signal.aborted) {
      let worked = false;
      try {
        worked = await tellNext(options, stopping.signal);
      } catch (err) {
        log.warn({ err }, 'sign-outs cannot be read or stored; they stay due');
      }
      if (!worked) await ear.wait(POLL_MS, stopping.signal);
    }
    ear.close();
  };
  const slots = Array.from({ length: SLOTS }, slot);
  return async () => {
    stopping.abort();
    await Promise.all(slots);
  };
}

/** Takes one message that is due and tries to tell it. @returns whether there was one */
async function tellNext(options: LogoutWorkerOptions, signal: AbortSignal): Promise<boolean> {
  const { queue, log, metrics } = options;
  const logout = await queue.take();
  if (logout === undefined) return false;
  if (logout.url === null) {
    await queue.ended(logout, 'given_up');
    metrics.chatLogouts.inc({ outcome: 'given_up' });
    return true;
  }
  try {
    await tell(options, logout, logout.url, signal);
  } catch (error) {
    metrics.chatLogouts.inc({ outcome: await queue.failed(logout, error) });
    log.info({ err: error, tenant: logout.tenant, attempt: logout.attempt }, 'a chat could not be told of a sign-out');
    return true;
  }
  await queue.ended(logout, 'heard');
  metrics.chatLogouts.inc({ outcome: 'heard' });
  return true;
}

/** Only ever to the address that the operator registered; it is inside the cluster, where the library would not call. */
async function tell(
  { issuer, signingKey }: LogoutWorkerOptions,
  { tenant, personId, sid }: Logout,
  url: string,
  signal: AbortSignal,
): Promise<void> {
  const token = await logoutToken(await signingKey(), { issuer, clientId: clientIdOf(tenant), personId, sid });
  const answer = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ logout_token: token }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  // What it says besides is of no interest, however long it is.
  await answer.body?.cancel();
  if (answer.status !== 200 && answer.status !== 204) throw new Error(`the chat answered ${answer.status}`);
}
