import type { Route } from '../../http/route.ts';
import { changeKey } from './change.ts';
import { createKey } from './create.ts';
import { deleteKey } from './delete.ts';
import { listKeys } from './list.ts';

/** See the files beside this one: one operation each. */
export const keyRoutes: readonly Route[] = [createKey, changeKey, listKeys, deleteKey];
