/** Nano-euro in a cent, and in a euro. */
const NANO_PER_CENT = 10_000_000n;
const CENTS_PER_EURO = 100n;
/** Decimal places of an amount below a cent, so that a single request does not read as nothing: a short one to a small
 * model costs a few millionths of a euro. */
const FINE_PLACES = 6;
const NANO_PER_FINE_UNIT = 1_000n;

/**
 * An amount of nano-euro as people read it: in cents, rounded half up; what is below a cent but not nothing with six
 * places. No floating-point number ever holds an amount.
 */
export function formatEuro(nanoEur: bigint | string, language: string): string {
  const amount = BigInt(nanoEur);
  const size = amount < 0n ? -amount : amount;
  const fine = size > 0n && size < NANO_PER_CENT;
  const unit = fine ? NANO_PER_FINE_UNIT : NANO_PER_CENT;
  const places = fine ? FINE_PLACES : 2;
  const units = (size + unit / 2n) / unit;
  const perEuro = fine ? CENTS_PER_EURO * (NANO_PER_CENT / NANO_PER_FINE_UNIT) : CENTS_PER_EURO;
  const text = `${amount < 0n ? '-' : ''}${units / perEuro}.${String(units % perEuro).padStart(places, '0')}`;
  const format = new Intl.NumberFormat(language, {
    style: 'currency',
    currency: 'EUR',
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  // Intl formats a decimal string exactly, digit by digit
  return format.format(text as Intl.StringNumericLiteral);
}

/** A plan's price or budget, such as "9.99", as people read it. */
export function formatEuroText(euros: string, language: string): string {
  return new Intl.NumberFormat(language, { style: 'currency', currency: 'EUR' }).format(
    euros as Intl.StringNumericLiteral,
  );
}

/** How much of `whole` a `part` is, in percent from 0 to 100 with one place; whole euros beyond 2^53 included. */
export function percentOf(part: bigint, whole: bigint): number {
  if (whole <= 0n || part <= 0n) return 0;
  return part >= whole ? 100 : Number((part * 1000n) / whole) / 10;
}
