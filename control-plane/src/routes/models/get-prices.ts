import { z } from 'zod';
import { ModelName } from '../../catalogue/registrations.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { TokenPrices } from '../../pricing/price.ts';
import { ModelParams, noSuchModel } from './model-view.ts';

const Pico = z.string().meta({ description: 'Pico-USD, as a decimal string' });
const TokenPricesView = z.object({
  inputPicoUsd: Pico,
  cachedInputPicoUsd: Pico,
  cacheWritePicoUsd: Pico,
  audioInputPicoUsd: Pico,
  outputPicoUsd: Pico,
  audioOutputPicoUsd: Pico,
});

const ModelPricesView = z
  .object({
    model: ModelName,
    source: z
      .enum(['model', 'snapshot', 'free'])
      .nullable()
      .meta({ description: 'Null: nobody knows what it costs, so every request is refused' }),
    priceSnapshot: z.string().meta({ description: 'The snapshot in force' }),
    prices: TokenPricesView.extend({
      imagePicoUsd: Pico,
      longContext: TokenPricesView.extend({ aboveTokens: z.int() }).nullable(),
    }).nullable(),
  })
  .meta({ id: 'ModelPrices' });

export const getModelPrices = route({
  method: 'get',
  path: '/v1/models/{model}/prices',
  id: 'getModelPrices',
  summary: 'What a model costs now, before margin',
  tag: 'Models',
  access: 'operator',
  params: ModelParams,
  responses: {
    200: { description: 'Its unit prices, as stored at this moment', schema: ModelPricesView },
    404: { description: 'No such model', schema: Problem },
  },
  run: async ({ catalogue }, { params }) => {
    const { models, priceSnapshot } = await catalogue.readAnew();
    const model = models.get(params.model);
    if (model === undefined) return noSuchModel(params.model);
    const { unitPrices } = model;
    if (unitPrices === undefined) {
      return { status: 200, body: { model: model.name, source: null, priceSnapshot, prices: null } };
    }
    const { image, longContext: tier, source } = unitPrices;
    const longContext = tier === undefined ? null : { ...tokenPrices(tier), aboveTokens: tier.aboveTokens };
    const prices = { ...tokenPrices(unitPrices), imagePicoUsd: image.toString(), longContext };
    return { status: 200, body: { model: model.name, source, priceSnapshot, prices } };
  },
});

function tokenPrices(prices: TokenPrices): z.input<typeof TokenPricesView> {
  return {
    inputPicoUsd: prices.input.toString(),
    cachedInputPicoUsd: prices.cachedInput.toString(),
    cacheWritePicoUsd: prices.cacheWrite.toString(),
    audioInputPicoUsd: prices.audioInput.toString(),
    outputPicoUsd: prices.output.toString(),
    audioOutputPicoUsd: prices.audioOutput.toString(),
  };
}
