import type { ServerResponse } from 'node:http';
import { every } from '../every.ts';
import { HttpProblem } from './problem.ts';

/** Milliseconds between two looks whether a caller may still read a stream. */
const LOOK_MS = 5_000;

/**
 * Watches a stream, which may last for hours: it is cut once `admitted` turns its reader away, because the key was
 * revoked, the session ended or the role changed. A look that fails otherwise, as while the database is away, decides
 * nothing.
 */
export function cutWhenTurnedAway(response: ServerResponse, admitted: () => Promise<unknown>, lookMs = LOOK_MS): void {
  const look = async () => {
    try {
      await admitted();
    } catch (error) {
      // Cut, not ended: what is incomplete must not look complete.
      if (error instanceof HttpProblem) response.destroy();
    }
  };
  const stop = every(lookMs, look, () => {});
  response.once('close', () => void stop());
}
