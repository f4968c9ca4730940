import { firstNumber, type Json, object } from './json.ts';

/** Characters that count as one token where no directive says otherwise. */
const CHARACTERS_PER_TOKEN = 4;
/** Tokens an answer may have when the request sets no bound. */
const DEFAULT_MAX_TOKENS = 4096;
/** Pieces a streamed answer comes in when no directive says otherwise. */
const DEFAULT_CHUNKS = 8;
/** Words of a made-up answer; each is one token for the tokenizers in use. */
const WORDS = ['the', 'cloud', 'is', 'free', 'and', 'every', 'word', 'of', 'this', 'answer', 'has', 'its', 'price'];

/**
 * What a test wants of one answer, written into the last user message as `[[fake {…}]]`.
 * Tokens are those the answer reports as used; milliseconds are waited.
 */
export interface Directive {
  promptTokens?: number;
  /** Of the prompt tokens, those read from the provider's cache. */
  cachedTokens?: number;
  /** Of the prompt tokens, those written to the provider's cache (Anthropic alone reports them). */
  cacheWriteTokens?: number;
  /** Of the prompt tokens, those that were heard (OpenAI alone is asked with audio). */
  audioTokens?: number;
  /** Per choice; `max` uses the whole bound. A smaller bound in the request wins. */
  completionTokens?: number | 'max';
  chunks?: number;
  chunkDelayMs?: number;
  /** Before the first byte. */
  delayMs?: number;
  /** Fails with this HTTP status instead of answering. */
  status?: number;
  /** The first so many calls with this very message fail, later ones are answered; absent: all fail. */
  failures?: number;
  /** Breaks the connection after so many chunks. */
  cutAfterChunks?: number;
  /** `status` and `cutAfterChunks` concern calls to this model of the provider alone. */
  onlyModel?: string;
  text?: string;
}

/** One question, whatever the provider's format. */
export interface Asked {
  model: string;
  /** Everything that was sent as text, for counting. */
  allText: string;
  /** Text of the last user message: the directive is looked for here. */
  lastUserText: string;
  maxTokens: number | undefined;
  stream: boolean;
  /** Answers wanted at once. */
  choices: number;
  /** Whether a stream ends with the tokens used. */
  streamUsage: boolean;
}

/** What will be answered, whatever the provider's format. */
export interface Answer {
  id: string;
  /** Seconds since 1970. */
  created: number;
  promptTokens: number;
  cachedTokens: number;
  cacheWriteTokens: number;
  audioTokens: number;
  /** Over all choices. */
  completionTokens: number;
  /** The bound ended the answer. */
  cutByBound: boolean;
  /** The text of each choice, in the pieces in which a stream sends it. */
  chunks: string[];
}

/** The directive of a message; a malformed one throws, since a test that is misunderstood must not pass. */
export function directiveOf(message: string): Directive {
  const found = /\[\[fake\s+(\{.*?\})\s*\]\]/s.exec(message);
  if (!found) return {};
  return object(JSON.parse(found[1] ?? '')) as Json as Directive;
}

/** Tokens of a text: one for every four characters begun. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** Decides the answer to `asked`; the same question gives the same text and tokens. */
export function answerTo(asked: Asked, directive: Directive, id: string, created: number): Answer {
  const bound = asked.maxTokens ?? DEFAULT_MAX_TOKENS;
  const spoken = asked.lastUserText.replace(/\s*\[\[fake.*\]\]/s, '').slice(0, 200);
  const friendly = directive.text ?? `Hello from ${asked.model}. You said: ${spoken}`;
  const wanted = directive.completionTokens === 'max' ? bound : directive.completionTokens;
  const perChoice = Math.min(wanted ?? countTokens(friendly), bound);
  const text = wanted === undefined || directive.text !== undefined ? friendly : words(perChoice);
  return {
    id,
    created,
    promptTokens: firstNumber(directive.promptTokens) ?? countTokens(asked.allText),
    cachedTokens: directive.cachedTokens ?? 0,
    cacheWriteTokens: directive.cacheWriteTokens ?? 0,
    audioTokens: directive.audioTokens ?? 0,
    completionTokens: perChoice * asked.choices,
    cutByBound: perChoice === asked.maxTokens,
    chunks: pieces(text, directive.chunks ?? DEFAULT_CHUNKS),
  };
}

function words(count: number): string {
  return Array.from({ length: count }, (_, index) => WORDS[index % WORDS.length]).join(' ');
}

/** `text` in at most `count` pieces of about one length, none of them empty. */
function pieces(text: string, count: number): string[] {
  const length = Math.max(1, Math.ceil(text.length / Math.max(1, count)));
  const found: string[] = [];
  for (let start = 0; start < text.length; start += length) found.push(text.slice(start, start + length));
  return found;
}
