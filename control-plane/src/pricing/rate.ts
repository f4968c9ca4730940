import { decimalToInteger } from './price.ts';

/** Decimal places of a rate. */
const RATE_DECIMALS = 6;

/** What one euro cost in USD on a day, in millionths: the form in which the European Central Bank publishes it. */
export type ExchangeRate = {
  /** ISO day, e.g. "2026-11-20". */
  readonly day: string;
  readonly usdPerEurMicro: bigint;
  readonly source: string;
};

/** Reads "1.1590" as 1159000n. */
export function usdPerEurMicro(decimal: string): bigint {
  return decimalToInteger(decimal, RATE_DECIMALS);
}

/** Writes 1159000n as "1.159000". */
export function formatUsdPerEur(micro: bigint): string {
  const digits = micro.toString().padStart(RATE_DECIMALS + 1, '0');
  return `${digits.slice(0, -RATE_DECIMALS)}.${digits.slice(-RATE_DECIMALS)}`;
}
