import type { Bell } from '../events/bell.ts';
import { every } from '../every.ts';
import type { Mount } from '../http/server.ts';
import { LogoutQueue } from './logout-queue.ts';
import { startLogoutWorker } from './logout-worker.ts';
import { type MountParts, oidcMount } from './mount.ts';
import type { MakeProviderParts } from './provider.ts';
import { Providers } from './providers.ts';
import { pruneRecords } from './record-adapter.ts';
import { rotateWhenDue } from './signing-keys.ts';

/** Milliseconds between two looks whether a key is due, and at what has expired. */
const TIDY_MS = 10 * 60_000;
/** Expired records that are removed by one statement: a sign-in that nobody ended is one, and anybody can begin many. */
const PRUNE_AT_ONCE = 5_000;

export type OidcParts = Omit<MakeProviderParts, 'issuer'> &
  Omit<MountParts, 'providers'> & { readonly bell: Bell; readonly logoutPauseMs?: number | undefined };

/** Starts the OpenID provider: what answers, what tells chats of sign-outs, and what keeps keys and tables in order. */
export function startOidc(parts: OidcParts): { readonly mount: Mount; readonly stop: () => Promise<void> } {
  const { pool, vault, bell, log, now } = parts;
  const issuer = `${parts.portalUrl}/oidc`;
  const providers = new Providers({ ...parts, issuer });
  const queue = new LogoutQueue(pool, parts.logoutPauseMs);
  const signingKey = async () => (await providers.present()).keys[0];
  const stopWorker = startLogoutWorker({ queue, bell, issuer, signingKey, metrics: parts.metrics, log });
  const tidy = async () => {
    await rotateWhenDue(pool, vault, now());
    while ((await pruneRecords(pool, PRUNE_AT_ONCE)) === PRUNE_AT_ONCE);
    await queue.prune();
  };
  const stopTidying = every(TIDY_MS, tidy, (err) => log.warn({ err }, 'the OpenID provider could not be tidied up'));
  return {
    mount: oidcMount({ ...parts, providers }),
    stop: async () => {
      await Promise.all([stopWorker(), stopTidying()]);
    },
  };
}
