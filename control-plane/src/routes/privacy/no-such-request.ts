import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';

export function noSuchChatDataRequest(): Answer {
  return { status: 404, body: problem(404, 'request_unknown', 'no such request of this tenant is waiting') };
}
