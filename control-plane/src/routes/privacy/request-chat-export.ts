import { inTransaction } from '../../database/pool.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { chatDataOf } from '../../privacy/chat-data.ts';
import { askChats, seatsOf } from '../../privacy/seats-of.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { ChatDataView, chatDataView } from './chat-data-view.ts';

export const requestChatExport = route({
  method: 'post',
  path: '/v1/account/chat-data',
  id: 'requestChatExport',
  summary: 'Have the chats of all one’s tenants collected for the export',
  tag: 'Privacy',
  access: 'person',
  responses: {
    ...PERSON_RESPONSES,
    202: { description: 'Asked; the chats answer within a quarter of an hour', schema: ChatDataView },
  },
  run: async ({ pool, vault }, call) => {
    const { person } = callerOf(call);
    const states = await inTransaction(pool, async (client) => {
      await askChats(client, vault, 'export', person, await seatsOf(client, person.id, person.email));
      return chatDataOf(client, person.id, 'export');
    });
    return { status: 202, body: chatDataView(states), audit: { target: `person/${person.id}` } };
  },
});
