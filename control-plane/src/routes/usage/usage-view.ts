import { z } from 'zod';
import { readTerms, StoredPrices } from '../../ledger/terms.ts';
import { inputOf, pricesAt, type Usage } from '../../pricing/cost.ts';
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
    audioInputTokens: z.int(),
    outputTokens: z.int().meta({ description: 'Reasoning included' }),
    audioOutputTokens: z.int(),
    images: z.int(),
    providerTotalTokens: z.int().nullable().meta({ description: 'The provider’s own sum, where it gave one' }),
    boundInputTokens: z.int(),
    boundOutputTokens: z.int().meta({ description: 'Granted' }),
    boundImages: z.int(),
    clampedFromOutputTokens: z
      .int()
      .nullable()
      .meta({ description: 'What was asked for, where the budget covered a shorter answer only' }),
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
        audioInputPicoUsd: Pico,
        outputPicoUsd: Pico,
        audioOutputPicoUsd: Pico,
        imagePicoUsd: Pico,
        longContextAboveTokens: z
          .int()
          .nullable()
          .meta({ description: 'Set when these are the prices of a long context: the input was above it' }),
      })
      .nullable()
      .meta({ description: 'The unit prices this was billed at' }),
    priceSnapshot: z.string().meta({ description: 'The price snapshot that was in force' }),
    priceSource: z
      .enum(['model', 'snapshot', 'free'])
      .nullable()
      .meta({ description: 'Where the unit prices come from: the Model, the snapshot, or it is free' }),
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
  audio_input_tokens: z.bigint(),
  output_tokens: z.bigint(),
  audio_output_tokens: z.bigint(),
  images: z.bigint(),
  provider_total_tokens: z.bigint().nullable(),
  max_output_tokens: z.bigint(),
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
  prices: StoredPrices.nullable(),
  terms: z.unknown(),
  started_at: z.date(),
  first_token_at: z.date().nullable(),
  ended_at: z.date(),
});

export function usageLine(stored: unknown): z.input<typeof UsageLine> {
  const row = Row.parse(stored);
  const terms = readTerms(row.terms);
  const granted = Number(row.max_output_tokens);
  const usage = usageOf(row);
  const { totalTokens: providerTotalTokens, ...buckets } = usage;
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
    ...buckets,
    providerTotalTokens,
    boundInputTokens: terms.bound.inputTokens,
    boundOutputTokens: granted,
    boundImages: terms.bound.images,
    clampedFromOutputTokens: granted < terms.bound.outputTokens ? terms.bound.outputTokens : null,
    holdNanoEur: row.hold.toString(),
    costNanoEur: row.cost.toString(),
    marginNanoEur: row.margin.toString(),
    marginPercent: terms.marginPercent,
    totalNanoEur: row.total.toString(),
    overrunNanoEur: row.overrun.toString(),
    prices: row.prices === null ? null : unitPricesView(usage, row.prices),
    priceSnapshot: terms.priceSnapshot,
    priceSource: row.prices?.source ?? null,
    usdEurRate: { day: terms.rateDay, usdPerEur: formatUsdPerEur(terms.usdPerEurMicro) },
    startedAt: row.started_at.toISOString(),
    firstTokenAt: row.first_token_at?.toISOString() ?? null,
    endedAt: row.ended_at.toISOString(),
    traceId: row.trace_id,
  };
}

function usageOf(row: z.output<typeof Row>): Usage {
  return {
    inputTokens: Number(row.input_tokens),
    cachedInputTokens: Number(row.cached_input_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    audioInputTokens: Number(row.audio_input_tokens),
    outputTokens: Number(row.output_tokens),
    audioOutputTokens: Number(row.audio_output_tokens),
    images: Number(row.images),
    totalTokens: row.provider_total_tokens === null ? null : Number(row.provider_total_tokens),
  };
}

/** The prices that really applied: those of the long-context tier where the input was long. */
function unitPricesView(usage: Usage, prices: z.output<typeof StoredPrices>) {
  const at = pricesAt(inputOf(usage), prices);
  return {
    inputPicoUsd: at.input.toString(),
    cachedInputPicoUsd: at.cachedInput.toString(),
    cacheWritePicoUsd: at.cacheWrite.toString(),
    audioInputPicoUsd: at.audioInput.toString(),
    outputPicoUsd: at.output.toString(),
    audioOutputPicoUsd: at.audioOutput.toString(),
    imagePicoUsd: prices.image.toString(),
    longContextAboveTokens: at === prices ? null : (prices.longContext?.aboveTokens ?? null),
  };
}
