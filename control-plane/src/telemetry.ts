import type { IncomingHttpHeaders } from 'node:http';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/** Traces of what this process does; spans join the trace that the gateway hook began. */
export type Telemetry = {
  readonly span: <Result>(name: string, headers: IncomingHttpHeaders, work: () => Promise<Result>) => Promise<Result>;
  readonly stop: () => Promise<void>;
};

/** Nothing is traced and nothing is paid for. */
const OFF: Telemetry = { span: (_name, _headers, work) => work(), stop: async () => {} };

/** Starts OpenTelemetry where an OTLP endpoint is given. Its modules are loaded only then: they cost start-up time. */
export async function startTelemetry(otlpEndpoint: string | undefined): Promise<Telemetry> {
  if (otlpEndpoint === undefined) return OFF;
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const url = new URL('v1/traces', otlpEndpoint.endsWith('/') ? otlpEndpoint : `${otlpEndpoint}/`).href;
  const sdk = new NodeSDK({
    serviceName: 'cloudfreedom-control-plane',
    traceExporter: new OTLPTraceExporter({ url }),
    instrumentations: [],
  });
  sdk.start();
  const tracer = trace.getTracer('cloudfreedom-control-plane');
  return {
    span: (name, headers, work) => {
      const parent = propagation.extract(context.active(), headers);
      return tracer.startActiveSpan(name, { kind: SpanKind.SERVER }, parent, async (span) => {
        try {
          return await work();
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    stop: () => sdk.shutdown(),
  };
}
