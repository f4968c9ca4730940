import { BadRequest, type Dialect, serverSent } from './dialect.ts';
import type { Answer } from './directive.ts';
import { contentText, firstNumber, list, object, text } from './json.ts';

const ERROR_TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** POST /v1/messages, version 2023-06-01. */
export const messages: Dialect = {
  asked(body) {
    const maxTokens = firstNumber(body.max_tokens);
    if (maxTokens === undefined) throw new BadRequest('max_tokens: Field required');
    const turns = list(body.messages).map(object);
    const users = turns.filter((turn) => turn.role === 'user');
    return {
      model: text(body.model),
      allText: [contentText(body.system), ...turns.map((turn) => contentText(turn.content))].join(''),
      lastUserText: contentText(users.at(-1)?.content),
      maxTokens,
      stream: body.stream === true,
      choices: 1,
      streamUsage: true,
    };
  },

  whole: (asked, answer) => ({
    ...head(asked.model, answer),
    content: [{ type: 'text', text: answer.chunks.join('') }],
    stop_reason: stopReason(answer),
    usage: { ...inputUsage(answer), output_tokens: answer.completionTokens },
  }),

  *events(asked, answer) {
    const named = (name: string, data: object, isChunk = false) =>
      serverSent({ type: name, ...data }, { name, isChunk });
    const usage = { ...inputUsage(answer), output_tokens: 1 };
    yield named('message_start', {
      message: { ...head(asked.model, answer), content: [], stop_reason: null, usage },
    });
    yield named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    yield named('ping', {});
    for (const chunk of answer.chunks) {
      yield named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: chunk } }, true);
    }
    yield named('content_block_stop', { index: 0 });
    yield named('message_delta', {
      delta: { stop_reason: stopReason(answer), stop_sequence: null },
      usage: { ...inputUsage(answer), output_tokens: answer.completionTokens },
    });
    yield named('message_stop', {});
  },

  failure: (status, message) => ({
    type: 'error',
    error: { type: ERROR_TYPES[status] ?? 'api_error', message },
    request_id: null,
  }),
};

function head(model: string, answer: Answer) {
  return { id: `msg_${answer.id}`, type: 'message', role: 'assistant', model, stop_sequence: null };
}

function stopReason(answer: Answer): string {
  return answer.cutByBound ? 'max_tokens' : 'end_turn';
}

/** Anthropic's `input_tokens` are those that touched no cache. */
function inputUsage(answer: Answer) {
  return {
    input_tokens: answer.promptTokens - answer.cachedTokens - answer.cacheWriteTokens,
    cache_creation_input_tokens: answer.cacheWriteTokens,
    cache_read_input_tokens: answer.cachedTokens,
  };
}
