import { queryOptions } from '@tanstack/react-query';
import type { Language } from '../i18n/languages.ts';
import { api, dataOf } from './client.ts';

/** The terms of use and what is done with data, in one text of one version. */
export type Terms = {
  readonly version: string;
  /** No lawyer has seen it yet. */
  readonly isDraft: boolean;
  /** Markdown. */
  readonly texts: Readonly<Record<Language, string>>;
};

/** The terms that hold now. */
export const termsQuery = queryOptions({
  queryKey: ['terms'],
  queryFn: (): Promise<Terms> => dataOf(api.GET('/v1/terms')),
});
