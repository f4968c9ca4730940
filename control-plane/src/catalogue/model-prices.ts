import { dearest, FREE, largest, type PriceSource, type UnitPrices, unitPrices } from '../pricing/price.ts';
import type { PriceList } from '../pricing/price-list.ts';
import type { ModelRegistration } from './registrations.ts';

/** Unit prices, and where they come from. */
export type SourcedPrices = UnitPrices & { readonly source: PriceSource };

/**
 * The model's own prices, else what the list says of its dearest deployment. A model is unpriced when one of its
 * deployments is not in the list, or when what it sells would cost nothing: only `free` is zero.
 */
export function pricesOfModel(registration: ModelRegistration, list: PriceList): SourcedPrices | undefined {
  if (registration.free) return { ...FREE, source: 'free' };
  const own = registration.prices;
  const prices = own === null ? pricesOfDeployments(registration, list) : unitPrices(own);
  if (prices === undefined || soldAt(registration.mode, prices) === 0n) return undefined;
  return { ...prices, source: own === null ? 'snapshot' : 'model' };
}

function pricesOfDeployments({ deployments }: ModelRegistration, list: PriceList): UnitPrices | undefined {
  const found = deployments.map(({ provider, model }) => list.prices[`${provider}/${model}`]);
  const known = found.filter((quotes) => quotes !== undefined).map(unitPrices);
  const [first, ...rest] = known;
  return first === undefined || known.length < found.length ? undefined : dearest([first, ...rest]);
}

function soldAt(mode: ModelRegistration['mode'], prices: UnitPrices): bigint {
  if (mode === 'image') return prices.image;
  return mode === 'embedding' ? prices.input : largest(prices.input, prices.output);
}
