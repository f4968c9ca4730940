import type { Route } from '../../http/route.ts';

/** See the files beside this one: one operation each. */
export const organisationRoutes: readonly Route[] = [];
