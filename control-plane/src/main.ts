import { pino } from 'pino';
import { readConfig } from './config.ts';
import { startControlPlane } from './start.ts';

/** Milliseconds that load balancers get to notice that we end: Kubernetes tells them when it tells us. */
const LINGER_MS = 3_000;
/** Fields that hold secrets, should anyone ever log an object that has them. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'key',
  'adminKey',
  'operatorKey',
  'encryptionKey',
  'token',
  'password',
  'databaseUrl',
  'smtpUrl',
  'accessKey',
  'secretKey',
  'secret',
];

const config = readConfig(process.env);
const redact = { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[secret]' };
const log = pino({ level: config.logLevel, redact, base: { service: 'control-plane' } });

const controlPlane = await startControlPlane({ ...config, log, checkAnswers: false, lingerMs: LINGER_MS });
log.info(
  { port: controlPlane.port, embeddedPostgres: config.databaseUrl === undefined },
  'the control plane is listening',
);

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'shutting down');
    controlPlane.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'the shutdown failed');
        process.exit(1);
      },
    );
  });
}
