import type { Route } from '../../http/route.ts';
import { createToken } from '../tokens/create.ts';
import { getTokenKeys } from '../tokens/public-keys.ts';
import { changeKey } from './change.ts';
import { createKey } from './create.ts';
import { createMyKey } from './create-mine.ts';
import { deleteKey } from './delete.ts';
import { deleteMyKey } from './delete-mine.ts';
import { listKeys } from './list.ts';
import { listMyKeys } from './list-mine.ts';

/** See the files beside this one: one operation each. `mine` comes before the id of a key: the first that fits answers. */
export const keyRoutes: readonly Route[] = [
  createMyKey,
  listMyKeys,
  deleteMyKey,
  createKey,
  changeKey,
  listKeys,
  deleteKey,
  createToken,
  getTokenKeys,
];
