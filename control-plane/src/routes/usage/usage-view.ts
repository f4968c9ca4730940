import { z } from 'zod';
import { readTerms } from '../../ledger/terms.ts';
import { NanoEur } from '../../pricing/money.ts';
import { formatUsdPerEur } from '../../pricing/rate.ts';

const Pico = z.string().meta({ description: 'Pico-USD per token (per image), as a decimal string' });

/** Everything that is needed to work out a bill again by hand. */
export const UsageLine = z
  .object({
    requestId: z.uuid(),
    sequence: z.int().meta({ description: 'Of its post in the ledger' }),
    at: z.iso.datetime(),
    model: z.string(),
    modelServed: z.string(),
    user: z
      .object({
        id: z.uuid(),
        externalId: z.string().nullable(),
        email: z.string().nullable(),
        name: z.string().nullable(),
      })
      .nullable(),
    keyId: z.uuid().nullable(),
    callType: z.string(),
    stream: z.boolean(),
    outcome: z.enum(['posted', 'posted_late']),
    finish: z.enum(['complete', 'interrupted']),
    cacheHit: z.boolean(),
    inputTokens: z.int(),
    cachedInputTokens: z.int(),
    cacheWriteTokens: z.int(),
    outputTokens: z.int(),
    images: z.int(),
    boundInputTokens: z.int(),
    boundOutputTokens: z.int(),
    boundImages: z.int(),
    holdNanoEur: NanoEur,
    costNanoEur: NanoEur,
    marginNanoEur: NanoEur,
    marginPercent: z.int(),
    totalNanoEur: NanoEur,
    overrunNanoEur: NanoEur,
    prices: z
      .object({
        inputPicoUsd: Pico,
        cachedInputPicoUsd: Pico,
        cacheWritePicoUsd: Pico,
        outputPicoUsd: Pico,
        imagePicoUsd: Pico,
      })
      .nullable(),
    usdEurRate: z.object({
      day: z.string(),
      usdPerEur: z.string().meta({ description: 'USD that one euro cost', example: '1.159000' }),
    }),
    startedAt: z.iso.datetime(),
    firstTokenAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime(),
    traceId: z.string().nullable(),
  })
  .meta({ id: 'UsageLine' });

const Prices = z.object({
  input: z.string(),
  cachedInput: z.string(),
  cacheWrite: z.string(),
  output: z.string(),
  image: z.string(),
});

const Row = z.object({
  request_id: z.uuid(),
  sequence: z.bigint(),
  at: z.date(),
  late: z.boolean(),
  finish: z.enum(['complete', 'interrupted']),
  cache_hit: z.boolean(),
  model_served: z.string(),
  input_tokens: z.bigint(),
  cached_input_tokens: z.bigint(),
  cache_write_tokens: z.bigint(),
  output_tokens: z.bigint(),
  images: z.bigint(),
  hold: z.bigint(),
  cost: z.bigint(),
  margin: z.bigint(),
  total: z.bigint(),
  overrun: z.bigint(),
  member_id: z.uuid().nullable(),
  external_id: z.string().nullable(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  key_id: z.uuid().nullable(),
  trace_id: z.string().nullable(),
  prices: Prices.nullable(),
  terms: z.unknown(),
  started_at: z.date(),
  first_token_at: z.date().nullable(),
  ended_at: z.date(),
});

export function usageLine(stored: unknown): z.input<typeof UsageLine> {
  const row = Row.parse(stored);
  const terms = readTerms(row.terms);
  const { prices } = row;
  return {
    requestId: row.request_id,
    sequence: Number(row.sequence),
    at: row.at.toISOString(),
    model: terms.model,
    modelServed: row.model_served,
    user:
      row.member_id === null
        ? null
        : { id: row.member_id, externalId: row.external_id, email: row.email, name: row.name },
    keyId: row.key_id,
    callType: terms.callType,
    stream: terms.stream,
    outcome: row.late ? 'posted_late' : 'posted',
    finish: row.finish,
    cacheHit: row.cache_hit,
    inputTokens: Number(row.input_tokens),
    cachedInputTokens: Number(row.cached_input_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    outputTokens: Number(row.output_tokens),
    images: Number(row.images),
    boundInputTokens: terms.bound.inputTokens,
    boundOutputTokens: terms.bound.outputTokens,
    boundImages: terms.bound.images,
    holdNanoEur: row.hold.toString(),
    costNanoEur: row.cost.toString(),
    marginNanoEur: row.margin.toString(),
    marginPercent: terms.marginPercent,
    totalNanoEur: row.total.toString(),
    overrunNanoEur: row.overrun.toString(),
    prices:
      prices === null
        ? null
        : {
            inputPicoUsd: prices.input,
            cachedInputPicoUsd: prices.cachedInput,
            cacheWritePicoUsd: prices.cacheWrite,
            outputPicoUsd: prices.output,
            imagePicoUsd: prices.image,
          },
    usdEurRate: { day: terms.rateDay, usdPerEur: formatUsdPerEur(terms.usdPerEurMicro) },
    startedAt: row.started_at.toISOString(),
    firstTokenAt: row.first_token_at?.toISOString() ?? null,
    endedAt: row.ended_at.toISOString(),
    traceId: row.trace_id,
  };
}
