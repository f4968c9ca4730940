import type { Route } from '../../http/route.ts';
import { createConsent } from './create-consent.ts';
import { createErasure } from './create-erasure.ts';
import { endChatData } from './end-chat-data.ts';
import { exportAccount } from './export-account.ts';
import { getChatData } from './get-chat-data.ts';
import { getTerms } from './get-terms.ts';
import { listConsents } from './list-consents.ts';
import { putChatDataPart } from './put-chat-data-part.ts';
import { requestChatExport } from './request-chat-export.ts';
import { takeChatData } from './take-chat-data.ts';

/** See the files beside this one: one operation each. */
export const privacyRoutes: readonly Route[] = [
  getTerms,
  listConsents,
  createConsent,
  requestChatExport,
  getChatData,
  exportAccount,
  createErasure,
  takeChatData,
  putChatDataPart,
  endChatData,
];
