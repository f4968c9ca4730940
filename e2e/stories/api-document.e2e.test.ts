import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureDebianPackages } from '../images/debian-packages.ts';
import { root } from '../platform/local-env.ts';
import { progress } from '../process/progress.ts';
import { settled } from '../steps/budget.ts';
import { mailWithLink, newPerson } from '../steps/portal.ts';
import { retire } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

/** The line for which the reader looks into their mail. */
const TOKEN_LINE = "TOKEN='the token of the link in the mail'\n";
/** Says in the shell's output where one block ends and the next begins. */
const END_OF_BLOCK = '--- end of block ---';

let story: Story;
let folder: string;
const person = newPerson('Reader');
const tenant = `reader-${person.email.slice(7, 15)}`;

beforeAll(async () => {
  story = await openStory();
  await ensureDebianPackages(['curl', 'jq'], progress('packages'));
  folder = await mkdtemp(path.join(tmpdir(), 'cloudfreedom-api-'));
});
afterAll(async () => {
  await retire(story.kubectl, tenant);
  await rm(folder, { recursive: true, force: true });
});

/** The shell's blocks of docs/api.md, with the reader's own values in the first one. */
async function blocks(email: string, tenant: string): Promise<string[]> {
  const text = await readFile(path.join(root, 'docs', 'api.md'), 'utf8');
  const found = [...text.matchAll(/```bash\n(.*?)```/gs)].map(([, block = '']) => block);
  const values = { BASE: story.env.BASE_DOMAIN, EMAIL: email, TENANT: tenant };
  return found.map((block, number) =>
    number > 0
      ? block
      : Object.entries(values).reduce(
          (shown, [name, value]) => shown.replace(new RegExp(`^${name}=\\S+`, 'm'), `${name}=${value}`),
          block,
        ),
  );
}

it('docs/api.md leads from nothing to an answer and its cost, as it is written', async () => {
  // curl reads it before anything on its command line: where the platform is, and whom to trust
  const address = story.env.INGRESS_ADDRESS;
  await writeFile(path.join(folder, '.curlrc'), `cacert = ${story.env.CA_FILE}\nconnect-to = "::${address}:443"\n`);
  const shell = spawn('bash', ['-euo', 'pipefail'], { cwd: folder, env: { ...process.env, CURL_HOME: folder } });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => shell.on('close', resolve));
  for (const block of await blocks(person.email, tenant)) {
    if (block !== TOKEN_LINE) {
      shell.stdin.write(`${block}\necho '${END_OF_BLOCK}'\n`);
      continue;
    }
    const { link } = await mailWithLink(story, person.email, '/confirm');
    shell.stdin.write(`TOKEN='${new URL(link).hash.replace('#token=', '')}'\n`);
  }
  shell.stdin.end();
  const code = await ended;
  const told = output.split(END_OF_BLOCK).map((text) => text.trim());
  expect(code, output).toBe(0);
  expect(output).toContain(`"email": "${person.email}"`);
  expect(output).toContain('Hello from gpt-4o-mini');
  const cost = told.find((text) => text.includes('grantedNanoEur') && text.startsWith('{')) ?? '{}';
  expect(JSON.parse(cost).grantedNanoEur).toBe('25000000000');
  await settled(story.way, tenant, 0n);
  expect(JSON.parse(told.at(-2) ?? '{}')).toMatchObject({ status: 404, code: 'tenant_unknown' });
});
