import { randomBytes } from 'node:crypto';
import type { Kubectl } from '../platform/kubectl.ts';
import type { LocalEnv } from '../platform/local-env.ts';
import { mailsOf } from '../platform/neighbours.ts';
import type { WayIn } from '../platform/way-in.ts';
import { mailWithLink } from '../steps/portal.ts';

/** Bytes of a password that is typed once. */
const PASSWORD_BYTES = 12;

/**
 * Registers the owner of a Tenant at the portal and confirms the address by the mail that arrives, as a person would.
 * A second demo on the same platform finds the account there, sets a new password by mail, and says that one.
 */
export async function accountOfOwner(
  { env, way, kubectl }: { env: LocalEnv; way: WayIn; kubectl: Kubectl },
  email: string,
): Promise<{ email: string; password: string }> {
  const password = `demo-${randomBytes(PASSWORD_BYTES).toString('base64url')}`;
  const world = { env, kubectl };
  // alerts on the budget have come to this address, too
  const mails = await mailsOf(kubectl, email);
  const registered = mails.some(({ text }) => text.includes('/confirm#'));
  if (!registered) {
    const terms = await way.call<{ version: string }>('GET', `${env.API_URL}/v1/terms?language=en`);
    const registration = { name: 'Owner', email, password, language: 'en', termsVersion: terms.body.version };
    await post(way, env, '/v1/account/registrations', registration);
    const token = tokenOf((await mailWithLink(world, email, '/confirm')).link);
    await post(way, env, '/v1/account/confirmations', { token, password });
  } else {
    await post(way, env, '/v1/account/password-resets', { email });
    const before = mails.filter(({ text }) => text.includes('/reset#')).length;
    const token = tokenOf((await mailWithLink(world, email, '/reset', before + 1)).link);
    await post(way, env, '/v1/account/password-resets/confirmations', { token, password });
  }
  return { email, password };
}

async function post(way: WayIn, env: LocalEnv, path: string, body: object): Promise<void> {
  const answer = await way.call('POST', `${env.API_URL}${path}`, body);
  if (answer.status >= 300) throw new Error(`${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

const tokenOf = (link: string) => new URL(link).hash.replace('#token=', '');
