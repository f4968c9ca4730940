import type { IncomingMessage } from 'node:http';
import { admit } from './admit.ts';
import { headerOf } from './caller.ts';
import { isConditional, takesKey } from './described-answers.ts';
import { callerName, checkIdempotencyKey, once, wishHash } from './idempotency.ts';
import type { Pipeline } from './pipeline.ts';
import { preconditionsOf } from './preconditions.ts';
import type { Answer, Call, Route } from './route.ts';

/** Runs an operation: once for its Idempotency-Key, and only where what it changes is what the caller has seen. */
export async function carryOut(
  pipeline: Pipeline,
  route: Route,
  params: Record<string, unknown>,
  call: Call<unknown, unknown, unknown>,
  request: IncomingMessage,
  run: () => Promise<Answer>,
): Promise<Answer> {
  const key = takesKey(route) ? headerOf(request, 'idempotency-key') : undefined;
  const caller = callerName(call.principal);
  if (key !== undefined && caller !== undefined) {
    const wish = { caller, route: route.id, key: checkIdempotencyKey(key), payload: wishHash(call) };
    return once(pipeline.services, wish, run);
  }
  const read = pipeline.reads.get(route.path);
  const conditions = preconditionsOf(request.method ?? '', request.headers);
  if (conditions === undefined || read === undefined || !isConditional(route, read)) return run();
  const address = (request.url ?? '').split('?')[0] ?? '';
  const present = async () => {
    // Whoever may write but not read must not learn by comparing.
    const tenant = typeof params.tenant === 'string' ? params.tenant : undefined;
    await admit(call.principal, read, tenant, pipeline.services.pool);
    const asked = { params: read.params?.parse(params) ?? {}, query: read.query?.parse({}) ?? {}, body: undefined };
    return read.run(pipeline.services, { ...call, ...asked } as Call<never, never, never>);
  };
  return pipeline.conditionalWrites.perform(address, conditions, present, run);
}
