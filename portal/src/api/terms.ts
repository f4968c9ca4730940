import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from './client.ts';

/** The terms of use and what is done with data, as they hold now. */
export const termsQuery = queryOptions({ queryKey: ['terms'], queryFn: () => dataOf(api.GET('/v1/terms')) });
