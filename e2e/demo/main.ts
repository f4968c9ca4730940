/**
 * `make demo`: from nothing to a chat that stops at its budget.
 *
 * Brings the platform up, applies `examples/`, asks every shipped model a question, spends a small budget to its end,
 * shows the refusal, tops it up, chats again, and makes an account that can sign in. The platform is left running; `make down` ends it.
 */
import path from 'node:path';
import { kubectlFor } from '../platform/kubectl.ts';
import { type LocalEnv, root } from '../platform/local-env.ts';
import { mailWindow } from '../platform/neighbours.ts';
import { bringPlatformUp } from '../platform/platform.ts';
import { type WayIn, wayIn } from '../platform/way-in.ts';
import { progress } from '../process/progress.ts';
import { budgetOf, NANO_EUR, topUp } from '../steps/budget.ts';
import { ask, type Refusal, SHIPPED_MODELS, told } from '../steps/chat.ts';
import { chatHost, conditions, issueKey, waitReady, waitServing } from '../steps/tenants.ts';
import { accountOfOwner } from './account.ts';

/** The example Tenants of `examples/`. */
const TENANTS = ['app', 'demo', 'dev', 'acme'];
/** The one whose budget is small enough to be spent while one watches. */
const SMALL = 'demo';
/** Answers after which the small budget must be spent. */
const MAX_ANSWERS = 50;
/** Milliseconds between two looks at what the Tenants wait for. */
const TELL_EVERY_MS = 5_000;
const TOP_UP_NANO_EUR = NANO_EUR / 10n;

const say = (line = '') => console.log(line);
const euro = (amount: bigint) => `${(Number(amount) / Number(NANO_EUR)).toFixed(6)} €`;

async function askEveryModel(way: WayIn, host: string, key: string): Promise<void> {
  say(`\nEvery shipped model, asked through https://${host}/v1 with the openai client:`);
  for (const model of SHIPPED_MODELS) {
    const outcome = await ask(way.openai(host, key), model, `Say hello as ${model}.`, 50);
    if (!('text' in outcome)) throw new Error(`${model} refused: ${outcome.refusal.message}`);
    say(`  ${model.padEnd(18)} ${outcome.text.replace(/\s+/g, ' ').slice(0, 80)}`);
  }
}

async function spendToTheEnd(way: WayIn, host: string, key: string): Promise<Refusal> {
  const before = await budgetOf(way, SMALL);
  say(`\nThe budget of ${SMALL} is ${euro(before.granted)}; each of these answers uses every token it may:`);
  const content = told('Tell me everything.', { completionTokens: 'max', text: 'Everything, at length.' });
  let answers = 0;
  for (let count = 1; count <= MAX_ANSWERS; count += 1) {
    const outcome = await ask(way.openai(host, key), 'gpt-4o', content, 500);
    if ('text' in outcome) answers += 1;
    else if (outcome.refusal.status !== 429) {
      const { posted, granted } = await budgetOf(way, SMALL);
      say(`  refused after ${answers} answers: ${euro(posted)} of ${euro(granted)} spent, not one unit over`);
      return outcome.refusal;
    }
  }
  throw new Error(`${MAX_ANSWERS} answers did not spend the budget of ${SMALL}`);
}

async function sayHowToSignIn(env: LocalEnv, account: { email: string; password: string }): Promise<void> {
  const kubectl = await kubectlFor(env.KUBECONFIG);
  say('\nOpen, sign in, and go on into the chat (the local CA is not in your browser until you trust it):');
  say(`  portal    ${env.PORTAL_URL}  ${account.email}  ${account.password}`);
  say(`  chat      https://${await chatHost(kubectl, SMALL)}`);
  say('  register  as any other address: its mail is shown by');
  say(`            kubectl get --raw '${mailWindow('you@example.org')}'`);
  say(`\n  API       ${env.API_URL} (admin key: ADMIN_KEY in .local/env)`);
  say(`  CA        ${env.CA_FILE}`);
  say(`  kubectl   export KUBECONFIG=${env.KUBECONFIG}`);
  say('  stop it   make down');
}

/** The sentence of each Ready condition that is not True yet, with the Tenants it is said of. */
async function whatTheyWaitFor(): Promise<string> {
  const waiting: { tenant: string; message: string }[] = [];
  for (const tenant of TENANTS) {
    const ready = (await conditions(kubectl, tenant)).find(({ type }) => type === 'Ready');
    if (ready?.status === 'False') waiting.push({ tenant, message: ready.message });
  }
  const said = Map.groupBy(waiting, ({ message }) => message);
  return [...said].map(([message, of]) => `${of.map(({ tenant }) => tenant).join(', ')}: ${message}`).join(' ');
}

/** Says every few seconds which of the Tenants wait for what, until `work` is done. */
async function tellWhile(work: Promise<unknown>): Promise<void> {
  let before = '';
  const tell = async () => {
    const now = await whatTheyWaitFor();
    if (now !== '' && now !== before) demo(now);
    before = now;
  };
  const timer = setInterval(() => tell().catch(() => {}), TELL_EVERY_MS);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
}

const env = await bringPlatformUp(progress('up'));
const kubectl = await kubectlFor(env.KUBECONFIG);
const way = wayIn(env);
const demo = progress('demo');

demo('applying examples/');
say((await kubectl('apply', '--server-side', '-f', path.join(root, 'examples'))).trim());
demo(`waiting until ${TENANTS.join(', ')} are Ready`);
await tellWhile(waitReady(kubectl, ...TENANTS));
demo('all Ready');
say((await kubectl('get', 'tenants')).trim());

await waitServing({ kubectl, way }, 'acme');
const [ownDomain] = (await kubectl.json('tenant', 'acme')).spec.customDomains;
await askEveryModel(way, ownDomain, await issueKey(way, 'acme', 'demo'));

const host = await waitServing({ kubectl, way }, SMALL);
const key = await issueKey(way, SMALL, 'demo');
const refusal = await spendToTheEnd(way, host, key);
say(`\nWhat a user reads (HTTP ${refusal.status}, code ${refusal.code}):\n  ${refusal.message}`);

await topUp(way, SMALL, TOP_UP_NANO_EUR);
say(`\nTopped up by ${euro(TOP_UP_NANO_EUR)}. Again:`);
const again = await ask(way.openai(host, key), 'gpt-4o', 'Are you back?', 50);
if (!('text' in again)) throw new Error(`still refused after the top-up: ${again.refusal.message}`);
say(`  ${again.text}`);

await sayHowToSignIn(
  env,
  await accountOfOwner({ env, way, kubectl }, (await kubectl.json('tenant', SMALL)).spec.owners[0]),
);
await way.close();
