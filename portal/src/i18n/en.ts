import type { de } from './de.ts';
import { account } from './en/account.ts';
import { common } from './en/common.ts';
import { entry } from './en/entry.ts';
import { keys } from './en/keys.ts';
import { problem } from './en/problem.ts';
import { tenant } from './en/tenant.ts';
import type { TextsLike } from './texts.ts';

/** Every English text. */
export const en: TextsLike<typeof de> = { ...common, ...entry, ...tenant, ...keys, ...account, ...problem };
