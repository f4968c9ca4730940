import type OpenAI from 'openai';
import { APIError } from 'openai';

/** The eight models CloudFreedom ships by name; their providers may have replaced some since. */
export const SHIPPED_MODELS = [
  'gpt-4o',
  'gpt-4o-mini',
  'gpt-4-turbo',
  'claude-3-5-sonnet',
  'claude-3-5-haiku',
  'claude-3-opus',
  'gemini-2.0-flash',
  'gemini-1.5-pro',
] as const;

/** What the fake upstream is told to do, in the last user message. */
export interface Directive {
  promptTokens?: number;
  completionTokens?: number | 'max';
  chunks?: number;
  chunkDelayMs?: number;
  delayMs?: number;
  status?: number;
  cutAfterChunks?: number;
  text?: string;
}

/** A user message that carries a directive for the fake upstream. */
export function told(text: string, directive: Directive): string {
  return `${text} [[fake ${JSON.stringify(directive)}]]`;
}

/** What the body says, without the status that the client writes before it. */
function bodyMessage({ error }: APIError): string | undefined {
  return (error as { message?: string } | undefined)?.message;
}

/** A refusal as the `openai` client shows it. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
  retryAfterSeconds: number | undefined;
}

/** An answer's text and tokens, or the refusal. Anything else throws. */
export type Outcome = { text: string; tokens: number } | { refusal: Refusal };

/** Asks one question without streaming. */
export async function ask(client: OpenAI, model: string, content: string, maxTokens?: number): Promise<Outcome> {
  try {
    const answer = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content }],
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    });
    return { text: answer.choices[0]?.message.content ?? '', tokens: answer.usage?.total_tokens ?? 0 };
  } catch (error) {
    return { refusal: refusalOf(error) };
  }
}

/** The refusal inside an error of the `openai` client; another error is thrown on. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof APIError) || error.status === undefined) throw error;
  const retryAfter = error.headers?.get('retry-after');
  return {
    status: error.status,
    code: String(error.code ?? ''),
    message: bodyMessage(error) ?? error.message,
    retryAfterSeconds: retryAfter ? Number(retryAfter) : undefined,
  };
}
