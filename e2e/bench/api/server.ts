import { startApi } from '@cloudfreedom/control-plane/testing/api.ts';
import express from 'express';
import { pino } from 'pino';

/**
 * What `api.ts` measures, in a process of its own: a control plane with a tenant, as production runs it but for the limits
 * of callers, and a bare express route beside it. Says where they are, and ends with its standard input.
 */
const log = pino({ level: 'info' }, pino.destination('/dev/null'));
const api = await startApi({ checkAnswers: false, log });
await api.tenant('demo');
const owner = await api.signedIn('owner@example.test');
await api.belongs(owner, 'demo', 'owner');
const { body: issued } = await api.admin('POST', '/v1/tenants/demo/keys', { name: 'bench', scopes: ['budget.read'] });
await api.admin('PUT', '/v1/plans/starter', {
  displayName: 'Starter',
  monthlyBudgetNanoEur: '25000000000',
  maxMembers: 1,
  modelClasses: ['mini'],
  marginPercent: 20,
});

const bare = express();
bare.disable('x-powered-by');
bare.get('/bare/:name', (request, response) => {
  response.json({ name: request.params.name });
});
const server = bare.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const said = {
    url: api.controlPlane.url,
    bareUrl: `http://127.0.0.1:${port}`,
    cookie: owner.cookie,
    key: issued.key,
  };
  console.log(JSON.stringify(said));
});

process.stdin.resume().on('end', async () => {
  server.close();
  await api.stop();
  process.exit(0);
});
