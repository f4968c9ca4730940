import { z } from 'zod';
import { ModelPrices } from './price.ts';

/** Providers that a deployment may name. */
const PROVIDERS = ['openai', 'anthropic', 'gemini'] as const;
/** LiteLLM's modes that we can route, and what they bill. */
const MODES = { chat: 'tokens', responses: 'tokens', embedding: 'input', image_generation: 'images' } as const;

/** `high/1024-x-1024/<model>`: the price of one quality and size, not a model. */
const VARIANT = /^(\w+\/)?\d+-x-\d+\//;
/** Models that search or act by themselves: the provider bills that too, and no token bound covers it. */
const ACTS_BY_ITSELF = /search|deep-research|computer-use/;

/** Prices by `<provider>/<the provider's name for the model>`, and the LiteLLM release whose file they come from. */
export const PriceList = z.strictObject({
  litellm: z.string(),
  prices: z.record(z.string(), ModelPrices),
});
export type PriceList = z.output<typeof PriceList>;

const Entry = z.looseObject({
  litellm_provider: z.enum(PROVIDERS),
  mode: z.enum(['chat', 'responses', 'embedding', 'image_generation']),
});
type Entry = z.output<typeof Entry>;

/**
 * What LiteLLM's price file says about models that we can route. An entry without a price, with a negative one or one
 * that is no whole number of pico-USD, or with zero for what is sold is left out: its models are unpriced, never free.
 */
export function reducePriceFile(litellm: string, file: unknown): PriceList {
  const entries = Object.entries(z.record(z.string(), z.unknown()).parse(file));
  const prices: Record<string, ModelPrices> = {};
  for (const [name, value] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const entry = Entry.safeParse(value);
    if (!entry.success || VARIANT.test(name) || ACTS_BY_ITSELF.test(name)) continue;
    const { litellm_provider: provider } = entry.data;
    const model = name.startsWith(`${provider}/`) ? name.slice(provider.length + 1) : name;
    const found = pricesOf(entry.data, variantsOf(model, entries));
    if (found !== undefined) prices[`${provider}/${model}`] = found;
  }
  return { litellm, prices };
}

/** Prices per image of the entries like `high/1024-x-1024/<model>`: one for each quality and size. */
function variantsOf(model: string, entries: readonly [string, unknown][]): unknown[] {
  return entries.flatMap(([name, value]) =>
    name.endsWith(`/${model}`) && VARIANT.test(name) ? [(value as Record<string, unknown>).input_cost_per_image] : [],
  );
}

function pricesOf(entry: Entry, variants: readonly unknown[]): ModelPrices | undefined {
  const sells = MODES[entry.mode];
  try {
    const images = [entry.output_cost_per_image, ...variants].filter((price) => price !== undefined);
    const image = sells === 'images' && images.length > 0 ? dearestOf(images) : undefined;
    if (sells === 'images' && image === undefined) return undefined;
    const input = usdPerMillion(entry.input_cost_per_token ?? (sells === 'images' ? 0 : undefined));
    const output = sells === 'tokens' ? usdPerMillion(outputOf(entry, '')) : '0';
    const soldForNothing = sells === 'tokens' ? [input, output] : [image ?? input];
    if (soldForNothing.includes('0')) return undefined;
    return ModelPrices.parse({
      inputUsdPerMillion: input,
      ...extras(entry, ''),
      outputUsdPerMillion: output,
      ...(image !== undefined && { imageUsd: image }),
      ...(sells === 'tokens' && tierOf(entry)),
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The tier of long contexts; of several the one that begins first, with the dearest prices of all. */
function tierOf(entry: Entry): Pick<ModelPrices, 'longContext'> | undefined {
  const suffixes = Object.keys(entry).flatMap(
    (key) => /^input_cost_per_token(_above_\d+k_tokens)$/.exec(key)?.[1] ?? [],
  );
  const thousands = suffixes.map((suffix) => Number(/\d+/.exec(suffix)?.[0]));
  const [suffix] = suffixes;
  if (suffix === undefined) return undefined;
  if (suffixes.length > 1) throw new RangeError('a model with more than one long-context tier');
  return {
    longContext: {
      aboveTokens: Math.min(...thousands) * 1000,
      inputUsdPerMillion: usdPerMillion(entry[`input_cost_per_token${suffix}`]),
      ...extras(entry, suffix),
      outputUsdPerMillion: usdPerMillion(outputOf(entry, suffix)),
    },
  };
}

function extras(entry: Entry, suffix: string): Partial<ModelPrices> {
  const named = {
    cachedInputUsdPerMillion: entry[`cache_read_input_token_cost${suffix}`],
    cacheWriteUsdPerMillion: entry[`cache_creation_input_token_cost${suffix}`],
    audioInputUsdPerMillion: entry[`input_cost_per_audio_token${suffix}`],
    audioOutputUsdPerMillion: entry[`output_cost_per_audio_token${suffix}`],
  };
  const given = Object.entries(named).filter(([, price]) => price !== undefined);
  return Object.fromEntries(given.map(([name, price]) => [name, usdPerMillion(price)]));
}

/** Reasoning is billed as output, at whichever price is higher. */
function outputOf(entry: Entry, suffix: string): unknown {
  const [output, reasoning] = [
    entry[`output_cost_per_token${suffix}`],
    entry[`output_cost_per_reasoning_token${suffix}`],
  ];
  return typeof output === 'number' && typeof reasoning === 'number' ? Math.max(output, reasoning) : output;
}

function dearestOf(prices: readonly unknown[]): string {
  const numbers = prices.map((price) => (typeof price === 'number' ? price : Number.NaN));
  return decimalOf(Math.max(...numbers), 0);
}

/** USD per token, as JSON has it, in USD per million tokens. */
function usdPerMillion(usdPerToken: unknown): string {
  return decimalOf(typeof usdPerToken === 'number' ? usdPerToken : Number.NaN, 6);
}

/**
 * The number that JSON's digits stand for, times 10^`shift`, as a decimal: (7.5e-8, 6) is "0.075". Nothing is rounded.
 * @throws RangeError for what is no price: unknown, negative, or finer than prices are kept
 */
function decimalOf(value: number, shift: number): string {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match?.[1] === undefined) throw new RangeError(`${value} is no price`);
  const digits = match[1] + (match[2] ?? '');
  const point = match[1].length + Number(match[3] ?? 0) + shift;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const whole = padded.slice(0, Math.max(1, point)).replace(/^0+(?=\d)/, '');
  const fraction = padded.slice(Math.max(1, point)).replace(/0+$/, '');
  if (fraction.length > 6) throw new RangeError(`${value} is finer than prices are kept`);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
