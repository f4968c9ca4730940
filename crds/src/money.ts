import { z } from 'zod';
import { matching } from './schema.ts';

/** Euro as people write it: `"25"` or `"25.00"`, never negative, below one billion. */
export const Euro = matching(
  /^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$/,
  12,
  'must be an amount in euro such as "25.00": digits, at most two decimals, in quotes',
);

/** US dollars per million tokens: `"2.50"`; six decimals, so that the price of one token is a whole number of pico-USD. */
export const UsdPerMillion = matching(
  /^(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?$/,
  13,
  'must be a price in US dollars such as "2.50": digits, at most six decimals, in quotes',
);

/** US dollars for one image: `"0.04"`. */
export const UsdPerImage = UsdPerMillion;

const tokenPrices = {
  inputUsdPerMillion: UsdPerMillion.describe('US dollars per million input tokens.'),
  cachedInputUsdPerMillion: UsdPerMillion.optional().describe(
    'US dollars per million input tokens that the provider read from its cache. Absent: the input price.',
  ),
  cacheWriteUsdPerMillion: UsdPerMillion.optional().describe(
    'US dollars per million input tokens that the provider wrote into its cache. Absent: the input price.',
  ),
  audioInputUsdPerMillion: UsdPerMillion.optional().describe(
    'US dollars per million input tokens of audio. Absent: the input price.',
  ),
  outputUsdPerMillion: UsdPerMillion.describe('US dollars per million output tokens, reasoning included.'),
  audioOutputUsdPerMillion: UsdPerMillion.optional().describe(
    'US dollars per million output tokens of audio. Absent: the output price.',
  ),
};

/** Prices of requests with much input. A bucket that is absent here costs what it costs below the threshold. */
const LongContextPrices = z.object({
  aboveTokens: z
    .int()
    .min(1)
    .max(100_000_000)
    .describe('These prices hold for the whole of a request with more input tokens than this, cached ones included.'),
  ...tokenPrices,
});

/** What a Model costs at its provider. Tokens are billed by bucket. */
export const Prices = z.object({
  ...tokenPrices,
  imageUsd: UsdPerImage.optional().describe('US dollars per generated image.'),
  longContext: LongContextPrices.optional().describe('Other prices for requests with much input.'),
});
export type Prices = z.output<typeof Prices>;

/** True when the decimal string stands for nothing at all: `"0"`, `"0.00"`. */
export function isZero(amount: string): boolean {
  return /^[0.]*$/.test(amount);
}
