import { createHash } from 'node:crypto';
import { BadRequest, type Dialect } from './dialect.ts';
import { firstNumber, list, text } from './json.ts';
import { failure } from './openai.ts';

/** Numbers in an embedding when the request names no other count: as text-embedding-3-small. */
const DEFAULT_DIMENSIONS = 1536;
/** Most numbers an embedding may have. */
const MAX_DIMENSIONS = 4096;
/** Tokens an image counts as, at 1024 by 1024 and medium quality. */
const TOKENS_PER_IMAGE = 1056;
/** Most images of one request. */
const MAX_IMAGES = 10;
/** A PNG of one transparent pixel. */
const ONE_PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

/** What the embedding endpoint remembers of a request beside the common. */
interface EmbeddingAsked extends ReturnType<Dialect['asked']> {
  inputs: string[];
  dimensions: number;
  base64: boolean;
}

/** POST /v1/embeddings; never streams. One text, a list of texts, or texts as lists of token numbers. */
export const embeddings: Dialect = {
  asked(body): EmbeddingAsked {
    const given = typeof body.input === 'string' || typeof list(body.input)[0] === 'number' ? [body.input] : body.input;
    const inputs = list(given).map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)));
    if (inputs.length === 0) throw new BadRequest("'$.input' is invalid.");
    const dimensions = firstNumber(body.dimensions) ?? DEFAULT_DIMENSIONS;
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) throw new BadRequest("Invalid value for 'dimensions'.");
    return {
      model: text(body.model),
      allText: inputs.join(''),
      lastUserText: inputs.at(-1) ?? '',
      maxTokens: undefined,
      stream: false,
      choices: 1,
      streamUsage: false,
      inputs,
      dimensions,
      base64: body.encoding_format === 'base64',
    };
  },

  whole(asked, answer) {
    const { inputs, dimensions, base64, model } = asked as EmbeddingAsked;
    const embedding = (input: string) => {
      const numbers = direction(input, dimensions);
      return base64 ? Buffer.from(numbers.buffer).toString('base64') : Array.from(numbers);
    };
    return {
      object: 'list',
      data: inputs.map((input, index) => ({ object: 'embedding', index, embedding: embedding(input) })),
      model,
      usage: { prompt_tokens: answer.promptTokens, total_tokens: answer.promptTokens },
    };
  },

  *events() {},
  failure,
};

/** POST /v1/images/generations; never streams here. */
export const images: Dialect = {
  asked(body) {
    const choices = firstNumber(body.n) ?? 1;
    if (text(body.prompt) === '') throw new BadRequest("Missing required parameter: 'prompt'.");
    if (choices < 1 || choices > MAX_IMAGES) throw new BadRequest("Invalid value for 'n'.");
    const prompt = text(body.prompt);
    const common = { model: text(body.model), allText: prompt, lastUserText: prompt };
    return { ...common, maxTokens: undefined, stream: false, choices, streamUsage: false };
  },

  whole: (asked, answer) => ({
    created: answer.created,
    data: Array.from({ length: asked.choices }, () => ({ b64_json: ONE_PIXEL })),
    output_format: 'png',
    quality: 'medium',
    size: '1024x1024',
    usage: {
      input_tokens: answer.promptTokens,
      input_tokens_details: { text_tokens: answer.promptTokens, image_tokens: 0 },
      output_tokens: TOKENS_PER_IMAGE * asked.choices,
      total_tokens: answer.promptTokens + TOKENS_PER_IMAGE * asked.choices,
    },
  }),

  *events() {},
  failure,
};

/** GET /v1/models. */
export function modelList() {
  const models = ['gpt-4o', 'gpt-4o-mini', 'gpt-4-turbo', 'text-embedding-3-small', 'gpt-image-1'];
  return {
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'fake' })),
  };
}

/** A unit vector that only the text decides. */
function direction(input: string, dimensions: number): Float32Array {
  const numbers = new Float32Array(dimensions);
  for (let start = 0; start < dimensions; start += 32) {
    const digest = createHash('sha256').update(`${start} ${input}`).digest();
    for (let offset = 0; offset < 32 && start + offset < dimensions; offset += 1) {
      numbers[start + offset] = (digest[offset] ?? 0) - 127.5;
    }
  }
  const length = Math.hypot(...numbers);
  return numbers.map((number) => number / length);
}
