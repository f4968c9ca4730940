const factors: Record<string, bigint> = { m: 1n, '': 1000n, Mi: 1000n << 20n, Gi: 1000n << 30n, Ti: 1000n << 40n };

/**
 * A quantity as the CRDs allow it (`250m`, `2`, `512Mi`) in thousandths of its base unit, so that all compare as
 * integers; undefined for anything else.
 */
export function milli(quantity: string): bigint | undefined {
  const [, digits, unit] = /^([0-9]+)(m|Mi|Gi|Ti|)$/.exec(quantity) ?? [];
  const factor = unit === undefined ? undefined : factors[unit];
  return digits === undefined || factor === undefined ? undefined : BigInt(digits) * factor;
}

/** True unless both are given and the first is the larger one. What is no quantity is for its own pattern to refuse. */
export function notAbove(smaller: string | undefined, larger: string | undefined): boolean {
  const [low, high] = [milli(smaller ?? ''), milli(larger ?? '')];
  return low === undefined || high === undefined || low <= high;
}
