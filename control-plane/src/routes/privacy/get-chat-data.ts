import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { chatDataOf } from '../../privacy/chat-data.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { ChatDataView, chatDataView } from './chat-data-view.ts';

export const getChatData = route({
  method: 'get',
  path: '/v1/account/chat-data',
  id: 'getChatData',
  summary: 'Whether the chats have been collected',
  tag: 'Privacy',
  access: 'person',
  responses: { ...PERSON_RESPONSES, 200: { description: 'By tenant', schema: ChatDataView } },
  run: async ({ pool }, call) => ({
    status: 200,
    body: chatDataView(await chatDataOf(pool, callerOf(call).person.id, 'export')),
  }),
});
