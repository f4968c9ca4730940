import type { z } from 'zod';
import { admit } from './admit.ts';

/** One thing that is wrong, and where: `spec.owners[0]`. */
export interface Problem {
  path: string;
  message: string;
}

export type Parsed<Value> = { ok: true; value: Value } | { ok: false; problems: Problem[] };

/** Most problems reported at once; more would bury the first. */
const MAX_PROBLEMS = 20;

/** `['spec', 'owners', 0]` as people write it: `spec.owners[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  );
}

/**
 * Parses one custom resource the way the API server does: unknown fields first, then nulls and defaults, then the rules.
 * Bad input is a value with every problem in it, never an exception.
 */
export function parseObject<S extends z.ZodType>(
  schema: S,
  value: unknown,
  options: { unknownFields: 'refuse' | 'ignore' },
): Parsed<z.output<S>> {
  const admitted = admit(schema, value);
  if (options.unknownFields === 'refuse' && admitted.unknownFields.length > 0) {
    const problems = admitted.unknownFields.map((path) => ({ path, message: `unknown field "${path}"` }));
    return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
  }
  const result = schema.safeParse(admitted.value, { error: plainly });
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.map((issue) => ({ path: pathText(issue.path), message: issue.message }));
  return { ok: false, problems: distinct(problems).slice(0, MAX_PROBLEMS) };
}

/** Says in plain words what zod says for developers; undefined leaves zod's own words, which are fine. */
function plainly(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'is required';
  const many = issue.origin === 'array';
  if (issue.code === 'too_small')
    return many ? `needs at least ${issue.minimum} items` : `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big')
    return many ? `takes at most ${issue.maximum} items` : `must be at most ${issue.maximum}`;
  return undefined;
}

/** A pattern and a rule may say the same of one field: once is enough. */
function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.path}: ${problem.message}`, problem])).values()];
}

/** All problems in one line, for a condition or a log. */
export function problemsText(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}
