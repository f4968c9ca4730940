import { queryOptions } from '@tanstack/react-query';
import type { Scope } from '../tenant/scopes.ts';
import { api, dataOf } from './client.ts';

/** Keys a page shows at most. */
const SHOWN = 200;
const query = { limit: SHOWN };

/** What a key is asked for with. */
export type KeyWish = { name: string; scopes: Scope[]; expiresAt: string };

/** One's own keys. */
export const myKeysQuery = (tenant: string) =>
  queryOptions({
    queryKey: ['tenant', tenant, 'keys', 'mine'],
    queryFn: async () =>
      (await dataOf(api.GET('/v1/tenants/{tenant}/keys/mine', { params: { path: { tenant }, query } }))).items,
  });

/** Keys of machines: they are nobody's, and the chat's own is not among them. */
export const serviceKeysQuery = (tenant: string) =>
  queryOptions({
    queryKey: ['tenant', tenant, 'keys', 'service'],
    queryFn: async () => {
      const keys = (await dataOf(api.GET('/v1/tenants/{tenant}/keys', { params: { path: { tenant }, query } }))).items;
      return keys.filter(({ kind, personId }) => kind === 'api' && personId === null);
    },
  });

/** Issues a personal key. */
export const createMyKey = (tenant: string, body: KeyWish) =>
  dataOf(api.POST('/v1/tenants/{tenant}/keys/mine', { params: { path: { tenant } }, body }));

/** Issues a key for a machine. */
export const createServiceKey = (tenant: string, body: KeyWish) =>
  dataOf(api.POST('/v1/tenants/{tenant}/keys', { params: { path: { tenant } }, body }));

/** Revokes a key of one's own. */
export const revokeMyKey = (tenant: string, key: string) =>
  dataOf(api.DELETE('/v1/tenants/{tenant}/keys/mine/{key}', { params: { path: { tenant, key } } }));

/** Revokes any key of the tenant. */
export const revokeKey = (tenant: string, key: string) =>
  dataOf(api.DELETE('/v1/tenants/{tenant}/keys/{key}', { params: { path: { tenant, key } } }));
