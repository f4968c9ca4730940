import { z } from 'zod';
import { type ControlPlane, ControlPlaneError } from './control-plane.ts';
import { Budget, ModelRegistration, PlanRegistration, Problem, TenantRegistration } from './shapes.ts';

/** Milliseconds after which a call counts as unanswered. */
const CALL_TIMEOUT_MS = 10_000;
/** Longest answer that is read. */
const ANSWER_LIMIT_BYTES = 1_048_576;

/** Items of one page, and how many pages are read at most. */
const PAGE_SIZE = 100;
const PAGE_LIMIT = 100;

const Names = z.object({
  items: z.array(z.object({ plan: z.string().optional(), model: z.string().optional() })),
  nextCursor: z.string().nullable(),
});
const ModelPriceSource = z.object({ source: z.string().nullable() });
const KnownTenant = TenantRegistration.extend({ state: z.enum(['open', 'closed']).default('open'), budget: Budget });

/** How to reach the control plane. */
export interface ControlPlaneAccess {
  url: string;
  /** The operator's service key. */
  key: string;
  /** `fetch`, injected for tests. */
  fetch?: typeof fetch;
}

/** The control plane over HTTP. */
export function httpControlPlane(access: ControlPlaneAccess): ControlPlane {
  const get = async <S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | undefined> => {
    const answer = await call(access, 'GET', path);
    return answer.status === 404 ? undefined : parse(path, schema, answer.body);
  };
  const put = async (path: string, body: object) => void (await call(access, 'PUT', path, body));
  const remove = async (path: string) => void (await call(access, 'DELETE', path));
  const names = async (kind: 'plans' | 'models') => {
    const found: string[] = [];
    let cursor = '';
    for (let page = 0; page < PAGE_LIMIT; page++) {
      const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(cursor && { cursor }) });
      const answer = await get(`/v1/${kind}?${query}`, Names);
      for (const { plan, model } of answer?.items ?? []) found.push(...[plan ?? model ?? []].flat());
      if (!answer?.nextCursor) break;
      cursor = answer.nextCursor;
    }
    return found;
  };
  const path = (kind: string, name: string) => `/v1/${kind}/${encodeURIComponent(name)}`;
  return {
    async tenant(name) {
      const known = await get(path('tenants', name), KnownTenant);
      if (known === undefined) return undefined;
      const { budget, state, ...registration } = known;
      return { state, registration, budget };
    },
    putTenant: (name, registration) => put(path('tenants', name), registration),
    closeTenant: (name, data) => remove(`${path('tenants', name)}?data=${data}`),
    plan: (name) => get(path('plans', name), PlanRegistration),
    putPlan: (name, registration) => put(path('plans', name), registration),
    deletePlan: (name) => remove(path('plans', name)),
    planNames: () => names('plans'),
    model: (name) => get(path('models', name), ModelRegistration),
    putModel: (name, registration) => put(path('models', name), registration),
    modelIsPriced: async (name) => (await get(`${path('models', name)}/prices`, ModelPriceSource))?.source !== null,
    deleteModel: (name) => remove(path('models', name)),
    modelNames: () => names('models'),
  };
}

interface Answer {
  status: number;
  body: unknown;
}

/** One call. 404 is an answer for GET and DELETE; every other status from 400 on throws. */
async function call(access: ControlPlaneAccess, method: string, path: string, body?: object): Promise<Answer> {
  const answer = await send(access, method, path, body);
  const length = Number(answer.headers.get('content-length') ?? 0);
  if (length > ANSWER_LIMIT_BYTES) throw new ControlPlaneError({ status: 0, message: `${path}: answer too large` });
  const text = await answer.text().catch((cause) => {
    throw new ControlPlaneError({ status: 0, message: 'the control plane broke off its answer', cause });
  });
  const content = json(text);
  if (answer.ok || (answer.status === 404 && method !== 'PUT')) return { status: answer.status, body: content };
  throw refusal(answer, content);
}

async function send(
  { url, key, fetch: fetchWith = fetch }: ControlPlaneAccess,
  method: string,
  path: string,
  body?: object,
) {
  try {
    return await fetchWith(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      redirect: 'error',
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ControlPlaneError({ status: 0, message: 'the control plane does not answer', cause });
  }
}

function refusal(answer: Response, content: unknown): ControlPlaneError {
  const problem = Problem.safeParse(content).data ?? {};
  const errors = (problem.errors ?? []).map(({ path, message }) => `${path}: ${message}`);
  const what = [problem.detail ?? problem.title ?? `status ${answer.status}`, ...errors].join('; ');
  return new ControlPlaneError({
    status: answer.status,
    message: `the control plane refused: ${what}`,
  });
}

function parse<S extends z.ZodType>(path: string, schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ControlPlaneError({
    status: 502,
    message: `the control plane's answer to ${path} is not as agreed: ${z.prettifyError(parsed.error)}`,
  });
}

function json(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
