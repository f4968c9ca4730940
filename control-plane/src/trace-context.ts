import { z } from 'zod';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** W3C trace context, as the gateway sends it along in header or body. */
export const Traceparent = z.string().regex(TRACEPARENT, 'must be a W3C traceparent');

/** The trace id of a traceparent; undefined when there is none or it is malformed. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];
}
