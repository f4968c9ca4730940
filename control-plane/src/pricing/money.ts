import { z } from 'zod';

/** The most one grant or budget may be: ten million euro. A larger one is a slip of the keyboard. */
export const MAX_AMOUNT_NANO_EUR = 10_000_000n * 1_000_000_000n;

/** An amount on the wire: a decimal string of integer nano-EUR, because JSON numbers lose digits above 2^53. */
export const NanoEur = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,18})$/, {
    error: 'must be a whole number of nano-euro as a string, e.g. "25000000000" for 25 EUR',
    // What is refined further is read as a number: nothing else may get that far.
    abort: true,
  })
  .meta({ description: 'Integer nano-EUR as a decimal string', example: '25000000000' });

/** An amount someone may set. */
export const SettableNanoEur = NanoEur.refine((text) => BigInt(text) <= MAX_AMOUNT_NANO_EUR, {
  message: `must not exceed ${MAX_AMOUNT_NANO_EUR} nano-euro`,
});

/** Euro for people, in their language: "0,42 €". Rounded down to cents, so that it never promises more than there is. */
export function formatEuro(nanoEur: bigint, language: 'de' | 'en'): string {
  const cents = nanoEur / 10_000_000n;
  return new Intl.NumberFormat(language, { style: 'currency', currency: 'EUR' }).format(Number(cents) / 100);
}
