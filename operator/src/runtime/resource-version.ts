/**
 * Whether version `one` of an object or list of a kind is newer than `other`. Versions of one kind are numbers that only
 * grow (KEP-5504); where they are not, nothing is newer, and callers wait for the watch instead.
 */
export function isNewer(one: string, other: string): boolean {
  if (!/^\d+$/.test(one) || !/^\d+$/.test(other)) return false;
  return BigInt(one) > BigInt(other);
}
