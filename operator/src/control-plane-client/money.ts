/** Decimals of a euro in nano-euro. */
const NANO_DIGITS = 9;

/** A decimal amount of euro (`"25.00"`) in integer nano-euro. The schema has seen to it that it is one. */
export function nanoEur(euro: string): bigint {
  const [whole = '0', fraction = ''] = euro.split('.');
  return BigInt(whole + fraction.padEnd(NANO_DIGITS, '0'));
}

/** Integer nano-euro as people read it: exact, with at least two decimals. */
export function euroText(nano: bigint): string {
  const digits = (nano < 0n ? -nano : nano).toString().padStart(NANO_DIGITS + 1, '0');
  const fraction = digits.slice(-NANO_DIGITS).replace(/0+$/, '').padEnd(2, '0');
  return `${nano < 0n ? '-' : ''}${digits.slice(0, -NANO_DIGITS)}.${fraction}`;
}
