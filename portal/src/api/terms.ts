import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from './client.ts';

/** The terms of use and what is done with data, in one text of one version. */
export type Terms = { readonly version: string; readonly language: 'de' | 'en'; readonly text: string };

/** The terms that hold now. */
export const termsQuery = (language: 'de' | 'en') =>
  queryOptions({
    queryKey: ['terms', language],
    queryFn: (): Promise<Terms> => dataOf(api.GET('/v1/terms', { params: { query: { language } } })),
  });
