import { BadRequest, type Dialect, serverSent } from './dialect.ts';
import type { Answer, Asked } from './directive.ts';
import { contentText, firstNumber, type Json, list, object, text } from './json.ts';

/** POST /v1/chat/completions. */
export const chatCompletions: Dialect = {
  asked(body) {
    const turns = list(body.messages).map(object);
    if (turns.length === 0) throw new BadRequest("Missing required parameter: 'messages'.");
    const users = turns.filter((turn) => turn.role === 'user');
    return {
      model: text(body.model),
      allText: turns.map((turn) => contentText(turn.content)).join(''),
      lastUserText: contentText(users.at(-1)?.content),
      maxTokens: firstNumber(body.max_completion_tokens, body.max_tokens),
      stream: body.stream === true,
      choices: firstNumber(body.n) ?? 1,
      streamUsage: object(body.stream_options).include_usage === true,
    };
  },

  whole: (asked, answer) => ({
    ...head(asked, answer, 'chat.completion'),
    choices: eachChoice(asked, (index) => ({
      index,
      message: { role: 'assistant', content: answer.chunks.join(''), refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: finishReason(answer),
    })),
    usage: usage(answer),
  }),

  *events(asked, answer) {
    const chunk = (choices: unknown[], used: unknown = null) => ({
      ...head(asked, answer, 'chat.completion.chunk'),
      choices,
      // with include_usage every chunk has the member, null until the last
      ...(asked.streamUsage ? { usage: used } : {}),
    });
    const delta = (body: Json, reason: string | null = null) =>
      chunk(eachChoice(asked, (index) => ({ index, delta: body, logprobs: null, finish_reason: reason })));
    yield serverSent(delta({ role: 'assistant', content: '', refusal: null }));
    for (const piece of answer.chunks) yield serverSent(delta({ content: piece }), { isChunk: true });
    yield serverSent(delta({}, finishReason(answer)));
    if (asked.streamUsage) yield serverSent(chunk([], usage(answer)));
    yield { wire: 'data: [DONE]\n\n', isChunk: false };
  },

  failure,
};

/** POST /v1/responses. */
export const responses: Dialect = {
  asked(body) {
    const turns = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : list(body.input);
    const users = turns.map(object).filter((turn) => turn.role === 'user');
    return {
      model: text(body.model),
      allText: [text(body.instructions), ...turns.map((turn) => contentText(object(turn).content))].join(''),
      lastUserText: contentText(users.at(-1)?.content),
      maxTokens: firstNumber(body.max_output_tokens),
      stream: body.stream === true,
      choices: 1,
      streamUsage: true,
    };
  },

  whole: (asked, answer) => response(asked, answer, 'ended'),

  *events(asked, answer) {
    let sequence = 0;
    const named = (type: string, data: object, isChunk = false) => {
      sequence += 1;
      return serverSent({ type, sequence_number: sequence - 1, ...data }, { name: type, isChunk });
    };
    const whole = answer.chunks.join('');
    const at = { item_id: `msg_${answer.id}`, output_index: 0, content_index: 0 };
    yield named('response.created', { response: response(asked, answer, 'begun') });
    yield named('response.in_progress', { response: response(asked, answer, 'begun') });
    const begun = { ...outputMessage(answer), status: 'in_progress', content: [] };
    yield named('response.output_item.added', { output_index: 0, item: begun });
    yield named('response.content_part.added', { ...at, part: outputText('') });
    for (const delta of answer.chunks) yield named('response.output_text.delta', { ...at, delta, logprobs: [] }, true);
    yield named('response.output_text.done', { ...at, text: whole, logprobs: [] });
    yield named('response.content_part.done', { ...at, part: outputText(whole) });
    yield named('response.output_item.done', { output_index: 0, item: outputMessage(answer) });
    const last = answer.cutByBound ? 'response.incomplete' : 'response.completed';
    yield named(last, { response: response(asked, answer, 'ended') });
  },

  failure,
};

/** OpenAI's error body. */
export function failure(status: number, message: string) {
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  const code = status === 429 ? 'rate_limit_exceeded' : null;
  return { error: { message, type, param: null, code } };
}

function head(asked: Asked, answer: Answer, kind: string) {
  const made = { id: `chatcmpl-${answer.id}`, object: kind, created: answer.created, model: asked.model };
  return { ...made, service_tier: 'default', system_fingerprint: 'fp_fake' };
}

function eachChoice<Choice>(asked: Asked, choice: (index: number) => Choice): Choice[] {
  return Array.from({ length: asked.choices }, (_, index) => choice(index));
}

function finishReason(answer: Answer): string {
  return answer.cutByBound ? 'length' : 'stop';
}

function usage(answer: Answer) {
  return {
    prompt_tokens: answer.promptTokens,
    completion_tokens: answer.completionTokens,
    total_tokens: answer.promptTokens + answer.completionTokens,
    prompt_tokens_details: { cached_tokens: answer.cachedTokens, audio_tokens: answer.audioTokens },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}

function outputText(spoken: string) {
  return { type: 'output_text', text: spoken, annotations: [], logprobs: [] };
}

function outputMessage(answer: Answer) {
  const content = [outputText(answer.chunks.join(''))];
  return { id: `msg_${answer.id}`, type: 'message', status: 'completed', role: 'assistant', content };
}

function response(asked: Asked, answer: Answer, stage: 'begun' | 'ended') {
  const ended = stage === 'ended';
  return {
    id: `resp_${answer.id}`,
    object: 'response',
    created_at: answer.created,
    status: !ended ? 'in_progress' : answer.cutByBound ? 'incomplete' : 'completed',
    error: null,
    incomplete_details: ended && answer.cutByBound ? { reason: 'max_output_tokens' } : null,
    instructions: null,
    max_output_tokens: asked.maxTokens ?? null,
    model: asked.model,
    output: ended ? [outputMessage(answer)] : [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: ended ? responseUsage(answer) : null,
    user: null,
    metadata: {},
  };
}

function responseUsage(answer: Answer) {
  return {
    input_tokens: answer.promptTokens,
    input_tokens_details: { cached_tokens: answer.cachedTokens },
    output_tokens: answer.completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: answer.promptTokens + answer.completionTokens,
  };
}
