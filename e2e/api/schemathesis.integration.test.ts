import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ADMIN_KEY, type Api, PORTAL_URL, startApi } from '@cloudfreedom/control-plane/testing/api.ts';
import { seedOf } from '@cloudfreedom/control-plane/testing/random.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pythonEnvironment } from '../images/python-env.ts';
import { progress } from '../process/progress.ts';
import { SCOPES } from './expected.ts';
import { runToEnd } from './run-to-end.ts';

/** Random requests per operation, besides those that its description names and those at its edges. */
const MAX_EXAMPLES = 3;
/** More than one made Python 3.11 fail by itself: its parser of sources is not safe for threads ("AST constructor recursion"). */
const WORKERS = 1;
/** Seconds one request may take on a busy machine. */
const REQUEST_SECONDS = 20;
/** What no answer may fail: a server error, or anything that the description does not say. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
/** Endless, and tested by itself. */
const NEVER = ['streamEvents', 'streamTenantProgress'];
/** There is no cluster in this test: what asks for one is tested where it is. */
const IN_A_CLUSTER = ['createTenant', 'getTenantResource', 'changeTenant', 'handOverTenant', 'requestTenantDeletion'];
/** Operations after which the caller could do nothing more. */
const ENDS_THE_CALLER = {
  admin: ['deleteTenant', 'putTenant'],
  owner: ['signOut', 'endSession', 'endOtherSessions', 'createErasure', 'leaveTenant', 'changePassword'],
  key: [],
} as const;

let api: Api;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cloudfreedom-schemathesis-'));
  api = await startApi();
  await api.tenant('own');
  // The calls are about this tenant, or they would all end at one that does not exist.
  await writeFile(path.join(folder, 'schemathesis.toml'), '[parameters]\n"path.tenant" = "own"\n');
});
afterEach(async () => {
  await api?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What each caller sends to say who it is. */
const CREDENTIALS: Record<keyof typeof ENDS_THE_CALLER, () => Promise<Record<string, string>>> = {
  admin: async () => ({ Authorization: `Bearer ${ADMIN_KEY}` }),
  owner: async () => {
    const owner = await api.signedIn('owner@example.test');
    await api.belongs(owner, 'own', 'owner');
    return { Cookie: owner.cookie, Origin: PORTAL_URL };
  },
  key: async () => {
    const { body } = await api.admin('POST', '/v1/tenants/own/keys', { name: 'fuzz', scopes: SCOPES });
    return { Authorization: `Bearer ${body.key}` };
  },
};

test.each(['admin', 'owner', 'key'] as const)(
  'whatever is asked as %s, no answer is a server’s error or one that the description does not have',
  async (caller) => {
    const bin = await pythonEnvironment('schemathesis', progress('schemathesis'));
    const headers = Object.entries(await CREDENTIALS[caller]()).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const left = [...NEVER, ...IN_A_CLUSTER, ...ENDS_THE_CALLER[caller]].flatMap((id) => [
      '--exclude-operation-id',
      id,
    ]);
    const { code, output } = await runToEnd(
      path.join(bin, 'schemathesis'),
      [
        ...['--config-file', path.join(folder, 'schemathesis.toml'), '--no-color'],
        ...['run', `${api.controlPlane.url}/openapi.json`],
        ...['--phases', 'examples,coverage,fuzzing', '--checks', CHECKS.join(',')],
        ...['--max-examples', String(MAX_EXAMPLES), '--seed', String(seedOf(`schemathesis as ${caller}`))],
        ...['--request-timeout', String(REQUEST_SECONDS), '--no-shrink', '--warnings', 'off'],
        ...['--suppress-health-check', 'all', '--workers', String(WORKERS), '--continue-on-failure'],
        ...headers,
        ...left,
      ],
      { cwd: folder },
    );
    expect(code, output.slice(-20_000)).toBe(0);
  },
);
