import type { Route } from '../../http/route.ts';
import { createSigningKey } from './create-signing-key.ts';
import { listSigningKeys } from './list-signing-keys.ts';

/** See the files beside this one: one operation each. */
export const oidcRoutes: readonly Route[] = [listSigningKeys, createSigningKey];
