import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from './client.ts';

/** Where the browser fetches the copy of one's data. */
export const exportAddress = '/v1/account/export';

/** How far the collection of one's chats is, by tenant. */
export const chatDataQuery = queryOptions({
  queryKey: ['chat-data'],
  queryFn: () => dataOf(api.GET('/v1/account/chat-data')),
});

/** Has the chats collected. */
export const requestChats = () => dataOf(api.POST('/v1/account/chat-data'));

/** Which versions of the terms one accepted. */
export const consentsQuery = queryOptions({
  queryKey: ['consents'],
  queryFn: () => dataOf(api.GET('/v1/account/consents')),
});

/** Accepts the terms that hold now. */
export const acceptTerms = (version: string) => dataOf(api.POST('/v1/account/consents', { body: { version } }));

/** Erases the account; the address typed once more says that it is meant. */
export const eraseAccount = (confirmation: string) =>
  dataOf(api.POST('/v1/account/erasure', { body: { confirmation } }));
