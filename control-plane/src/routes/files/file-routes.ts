import type { Route } from '../../http/route.ts';
import { deleteFile } from './delete.ts';
import { getFile } from './get.ts';
import { listFiles } from './list.ts';
import { putLogo } from './put.ts';

/** See the files beside this one: one operation each. */
export const fileRoutes: readonly Route[] = [putLogo, getFile, deleteFile, listFiles];
