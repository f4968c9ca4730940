import { Registry } from 'prom-client';
import type { Log } from '../log.ts';
import { createRuntimeMetrics, type RuntimeMetrics } from '../metrics.ts';

/** Fresh metrics and a way to read one value of them. */
export function testMetrics(): {
  metrics: RuntimeMetrics;
  value(name: string, labels?: Record<string, string>): Promise<number>;
} {
  const registry = new Registry();
  const metrics = createRuntimeMetrics(registry, 'test');
  return {
    metrics,
    async value(name, labels = {}) {
      const metric = await registry.getSingleMetric(`test_${name}`)?.get();
      if (metric === undefined) throw new Error(`no metric test_${name}`);
      const matching = metric.values.filter((entry) =>
        Object.entries(labels).every(([label, wanted]) => (entry.labels as Record<string, unknown>)[label] === wanted),
      );
      return matching.reduce((sum, entry) => sum + entry.value, 0);
    },
  };
}

/** Collects what is logged as `level message`. */
export function recordingLog(): { log: Log; lines: { level: string; message: string; fields: object }[] } {
  const lines: { level: string; message: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, message, fields });
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

/** No jitter: the middle of every range. */
export const noJitter = () => 0.5;
