import type { AuditFault } from './check-chain.ts';

const TEXTS: Record<AuditFault['fault'], string> = {
  changed: 'was changed after it had been written, or moved from another place',
  unlinked: 'does not follow on the entry before it',
  missing: 'is missing',
  inserted: 'was put in where the chain has no place for it',
  personal: 'has a personal value that is not the one it was written with, or lacks one',
  head: 'is not the last one by the head of the chain',
};

/** A fault as a sentence for people. */
export function faultText({ sequence, through, fault }: AuditFault): string {
  return through === undefined
    ? `entry ${sequence} ${TEXTS[fault]}`
    : `entries ${sequence} to ${through}: each ${TEXTS[fault]}`;
}
