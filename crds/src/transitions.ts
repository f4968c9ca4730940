import type { z } from 'zod';
import type { Problem } from './parse.ts';
import { milli } from './quantity.ts';
import { type CelRule, withCel } from './schema.ts';

/** A rule about a change. The API server judges it on every update; `holds` is for whoever writes through our API. */
export interface Transition<Value> {
  cel: string;
  message: string;
  holds: (after: Value, before: Value) => boolean;
}

/** Hangs the CEL side of the rules on a schema. */
export function withTransitions<S extends z.ZodType>(schema: S, transitions: readonly Transition<never>[]): S {
  const rules: CelRule[] = transitions.map(({ cel, message }) => ({ rule: cel, message }));
  return rules.reduce((before, rule) => withCel(before, rule), schema);
}

/** The rules that a change breaks. */
export function brokenTransitions<Value>(
  transitions: readonly Transition<Value>[],
  path: string,
  after: Value,
  before: Value,
): Problem[] {
  return transitions.filter((rule) => !rule.holds(after, before)).map(({ message }) => ({ path, message }));
}

type Sizes = 'postgresSize' | 'redisSize' | 'backupSize';
type Storage = Record<Sizes, string> & { className?: string | undefined };

const growsOnly = (field: Sizes): Transition<Storage> => ({
  cel: `quantity(self.${field}).compareTo(quantity(oldSelf.${field})) >= 0`,
  message: `${field} can grow but never shrink`,
  holds: (after, before) => (milli(after[field]) ?? 0n) >= (milli(before[field]) ?? 0n),
});

/** Volumes cannot move to another class, nor shrink: Kubernetes would refuse it object by object, much later. */
export const storageTransitions: readonly Transition<Storage>[] = [
  {
    cel: 'has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)',
    message: 'className cannot be changed: volumes stay where they were made',
    holds: (after, before) => after.className === before.className,
  },
  growsOnly('postgresSize'),
  growsOnly('redisSize'),
  growsOnly('backupSize'),
];

/** Switching would start the chat on an empty database while the old one lies aside. */
export const tenantSpecTransitions: readonly Transition<{ postgres?: unknown }>[] = [
  {
    cel: 'has(self.postgres) == has(oldSelf.postgres)',
    message: 'postgres cannot be switched between managed and external: the chats would be left behind',
    holds: (after, before) => (after.postgres === undefined) === (before.postgres === undefined),
  },
];
