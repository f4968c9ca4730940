import { account } from './de/account.ts';
import { common } from './de/common.ts';
import { entry } from './de/entry.ts';
import { keys } from './de/keys.ts';
import { problem } from './de/problem.ts';
import { tenant } from './de/tenant.ts';

/** Every German text; the keys of all languages are those of this one. */
export const de = { ...common, ...entry, ...tenant, ...keys, ...account, ...problem };
