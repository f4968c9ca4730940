import { type Dialect, serverSent } from './dialect.ts';
import type { Answer, Asked } from './directive.ts';
import { contentText, firstNumber, list, object, text } from './json.ts';

const STATUS_NAMES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** POST /v1beta/models/{model}:generateContent and :streamGenerateContent?alt=sse. */
export const generateContent: Dialect = {
  asked(body, path) {
    const [model = '', method] = (path.split('/').at(-1) ?? '').split(':');
    const turns = list(body.contents).map(object);
    const users = turns.filter((turn) => turn.role === 'user' || turn.role === undefined);
    const system = object(body.systemInstruction ?? body.system_instruction);
    const settings = object(body.generationConfig ?? body.generation_config);
    return {
      model,
      allText: [contentText(system.parts), ...turns.map((turn) => contentText(turn.parts))].join(''),
      lastUserText: contentText(users.at(-1)?.parts),
      maxTokens: firstNumber(settings.maxOutputTokens, settings.max_output_tokens),
      stream: method === 'streamGenerateContent',
      choices: firstNumber(settings.candidateCount, settings.candidate_count) ?? 1,
      streamUsage: true,
    };
  },

  whole: (asked, answer) => ({
    candidates: candidates(asked, answer.chunks.join(''), finishReason(answer)),
    ...tail(asked, answer),
  }),

  *events(asked, answer) {
    const last = answer.chunks.length - 1;
    for (const [index, chunk] of answer.chunks.entries()) {
      // usage rides on every event; only the last one's is complete
      const soFar = index === last ? answer : { ...answer, completionTokens: 0 };
      const reason = index === last ? finishReason(answer) : undefined;
      yield serverSent({ candidates: candidates(asked, chunk, reason), ...tail(asked, soFar) }, { isChunk: true });
    }
  },

  failure: (status, message) => ({ error: { code: status, message, status: STATUS_NAMES[status] ?? 'INTERNAL' } }),
};

/** Whether `path` is one of Gemini's two; a base address without the version is met too. */
export function isGeminiPath(path: string): boolean {
  return /^(\/v1(beta)?)?\/models\/[^/]+:(generateContent|streamGenerateContent)$/.test(path);
}

function candidates(asked: Asked, spoken: string, reason: string | undefined) {
  return Array.from({ length: asked.choices }, (_, index) => ({
    content: { role: 'model', parts: [{ text: spoken }] },
    ...(reason === undefined ? {} : { finishReason: reason }),
    index,
  }));
}

function finishReason(answer: Answer): string {
  return answer.cutByBound ? 'MAX_TOKENS' : 'STOP';
}

function tail(asked: Asked, answer: Answer) {
  return {
    usageMetadata: {
      promptTokenCount: answer.promptTokens,
      ...(answer.cachedTokens > 0 ? { cachedContentTokenCount: answer.cachedTokens } : {}),
      candidatesTokenCount: answer.completionTokens,
      totalTokenCount: answer.promptTokens + answer.completionTokens,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: answer.promptTokens }],
    },
    modelVersion: text(asked.model),
    responseId: answer.id,
  };
}
